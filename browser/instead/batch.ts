/** Messages that arrived together, in a page: each is there as it came, so none is a place in a chunk. */

/** Some messages. */
export class Batch implements Iterable<Uint8Array>, Disposable {
  readonly #messages: readonly Uint8Array[];

  /** Holds messages, which belong to it from now on. */
  constructor(messages: readonly Uint8Array[]) {
    this.#messages = messages;
  }

  /** How many messages there are. */
  get length(): number {
    return this.#messages.length;
  }

  /** How many bytes they have together. */
  get byteLength(): number {
    return this.#messages.reduce((sum, { length }) => sum + length, 0);
  }

  /** A message, counted from the end if the index is negative. */
  at(index: number): Uint8Array | undefined {
    return this.#messages.at(index);
  }

  /** The messages, one by one. */
  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.#messages.values();
  }

  /** Some of the messages. */
  toArray(from?: number, to?: number): Uint8Array[] {
    return this.#messages.slice(from, to);
  }

  /** Does nothing: memory is not used again in a page. */
  recycle(): void {}

  /** See {@linkcode recycle}. */
  [Symbol.dispose](): void {}
}
