/** Reads a stream of chunks by numbers of bytes, which is how files of packets are written. */

import { concat } from "@std/bytes/concat";

/** The bytes of a file or a pipe, taken from the front. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes were taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `count` bytes; fewer only if the end comes first. */
  async read(count: number): Promise<Uint8Array> {
    await this.#fill(count);
    const bytes = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#offset += bytes.length;
    return bytes;
  }

  /** The next `count` bytes, which stay where they are; fewer only if the end comes first. */
  async peek(count: number): Promise<Uint8Array> {
    await this.#fill(count);
    return this.#rest.subarray(0, count);
  }

  /** Everything that is left, as it comes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (await this.#fill(1)) yield await this.read(this.#rest.length);
  }

  /** Stops reading: whoever gives the chunks is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(count: number): Promise<boolean> {
    if (this.#rest.length >= count) return true;
    const parts = [this.#rest];
    let size = this.#rest.length;
    while (size < count) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
    this.#rest = concat(parts);
    return size >= count;
  }
}
