/** Messages of one chunk, without an object for each. */

import { recycleLarge } from "../internal/memory.ts";
import type { Memory } from "../internal/memory.ts";
import { EMPTY } from "./empty.ts";
import type { Spans } from "./spans.ts";

const NONE: Uint8Array[] = [];
const NO_SPANS = new Int32Array(0);

/**
 * The messages that one chunk completed. The batch knows where each one lies, and makes a
 * `Uint8Array` only of those that are asked for.
 *
 * A batch may be used for as long as it is needed. Its memory is used again only if the program says
 * that nothing of it is needed any more: with `using`, or by `recycle()`. From then on the batch is
 * empty, and **what it gave before may change**: copy what you want to keep, with `slice()`.
 *
 * @example Count, and let the memory be used again
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise/connection";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [near, far] = memoryPair().map((transport) => new Connection(transport));
 * for (const text of ["one", "two", "three"]) near.send(text);
 * await near.closeWrite();
 * let bytes = 0;
 * for await (using batch of far.rawBatches()) {
 *   for (const message of batch) bytes += message.length;
 * }
 * assertEquals(bytes, 11);
 * await Promise.all([near.close(), far.close()]);
 * ```
 */
export class Batch implements Iterable<Uint8Array>, Disposable {
  /** The first messages, which have memory of their own. */
  #own: Uint8Array[] = NONE;
  #chunk: Uint8Array = EMPTY;
  /** Where the other messages lie in the chunk: start and end of each. */
  #spans: Int32Array = NO_SPANS;
  /** What stands for messages without bytes, by their numbers in the chunk, where it is not `EMPTY`. */
  #empties: ReadonlyMap<number, Uint8Array> | undefined;
  #byteLength = 0;
  /** Where the chunk goes back to; undefined if it goes nowhere. */
  #memory: Memory | undefined;

  /** How many messages there are. */
  get length(): number {
    return this.#own.length + this.#spans.length / 2;
  }

  /** How many bytes all messages have together, without headers. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** A message, from 0 on; counted from the end if `index` is negative; undefined if there is none. */
  at(index: number): Uint8Array | undefined {
    const own = this.#own.length;
    const i = index < 0 ? index + this.length : index;
    if (i < own) return this.#own[i];
    const start = this.#spans[2 * (i - own)];
    if (start === undefined) return undefined;
    const bytes = this.#spans[2 * (i - own) + 1] - start;
    if (bytes === 0) return this.#empties?.get(i - own) ?? EMPTY;
    return new Uint8Array(this.#chunk.buffer, this.#chunk.byteOffset + start, bytes);
  }

  /** The messages one by one. */
  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  /** Empties the batch. Its memory is used again for other messages. A second call does nothing. */
  recycle(): void {
    if (this.#memory !== undefined) {
      for (const { buffer } of this.#own) recycleLarge(buffer);
      this.#memory.recycle(this.#chunk);
    }
    this.#memory = undefined;
    this.#empties = undefined;
    this.#own = NONE;
    this.#spans = NO_SPANS;
    this.#chunk = EMPTY;
    this.#byteLength = 0;
  }

  /** The same as `recycle()`, at the end of the scope. */
  [Symbol.dispose](): void {
    this.recycle();
  }

  /**
   * Adds messages that have memory of their own, before those of a chunk.
   *
   * @internal
   */
  addOwn(messages: Uint8Array[]): void {
    this.#own = this.#own.length === 0 ? messages : [...this.#own, ...messages];
    for (const { length } of messages) this.#byteLength += length;
  }

  /**
   * Sets the chunk, with the place of each message in it. With `memory`, the chunk goes back there, and
   * large messages are used again.
   *
   * @internal
   */
  setChunk(chunk: Uint8Array, spans: Spans, memory: Memory | undefined): void {
    this.#chunk = chunk;
    this.#spans = spans.list.slice(0, spans.used);
    this.#empties = spans.empties;
    this.#byteLength += spans.bytes;
    this.#memory = memory;
  }

  /**
   * If the memory goes back, it goes to this one; with `undefined`, nowhere.
   *
   * @internal
   */
  returnTo(memory: Memory | undefined): void {
    if (this.#memory !== undefined) this.#memory = memory;
  }

  /**
   * The messages as an array, from one on, up to another one.
   *
   * @internal
   */
  toArray(from = 0, to: number = this.length): Uint8Array[] {
    return Array.from({ length: to - from }, (_, i) => this.at(from + i)!);
  }
}
