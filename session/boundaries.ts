/** Offsets at which messages end in a stream of bytes. Not all of them are kept. */

/** Of boundaries that are closer together than this, only some are kept. */
const MIN_DISTANCE = 16 * 1024;

/**
 * Some of the offsets at which a message ends: the last one that was passed, and enough of those
 * after it.
 */
export class Boundaries {
  #places = [0];

  /** The last boundary that was passed. */
  get first(): number {
    return this.#places[0];
  }

  /** A message ends here. Of boundaries that are close together, the last one is kept. */
  add(place: number): void {
    const last = this.#places.length - 1;
    if (last > 0 && place - this.#places[last - 1] < MIN_DISTANCE) this.#places[last] = place;
    else this.#places.push(place);
  }

  /** Drops all boundaries before the last one up to `offset`. */
  pass(offset: number): void {
    let passed = 0;
    while (passed + 1 < this.#places.length && this.#places[passed + 1] <= offset) passed++;
    if (passed > 0) this.#places.splice(0, passed);
  }

  /** The first boundary from `offset` on; Infinity if there is none. */
  after(offset: number): number {
    return this.#places.find((place) => place >= offset) ?? Infinity;
  }
}
