/** Where messages end in a stream of bytes, as far as anybody has to know. */

/** Boundaries nearer to each other than this are not all kept. */
const MIN_DISTANCE = 16 * 1024;

/** Some of the places at which a message ends: the last one passed, and enough of those after it. */
export class Boundaries {
  #places = [0];

  /** The last place that was passed. */
  get first(): number {
    return this.#places[0];
  }

  /** A message ends here. Of places that are close together the last one stays. */
  add(place: number): void {
    const last = this.#places.length - 1;
    if (last > 0 && place - this.#places[last - 1] < MIN_DISTANCE) this.#places[last] = place;
    else this.#places.push(place);
  }

  /** Everything before the last place up to `offset` is of no interest any more. */
  pass(offset: number): void {
    let passed = 0;
    while (passed + 1 < this.#places.length && this.#places[passed + 1] <= offset) passed++;
    if (passed > 0) this.#places.splice(0, passed);
  }

  /** The first place from `offset` on; Infinity if there is none. */
  after(offset: number): number {
    return this.#places.find((place) => place >= offset) ?? Infinity;
  }
}
