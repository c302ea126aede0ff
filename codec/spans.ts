/** Where the messages of a chunk lie. */

import { EMPTY } from "./empty.ts";

const MIN_SPANS = 4096;
/** Enough for a chunk of 64 KiB that is full of empty messages. */
const MAX_KEPT_SPANS = 128 * 1024;

/** Where the messages of a chunk lie: start and end of each. The list is used for one chunk after another. */
export class Spans {
  /** Longer than what is used. */
  list: Int32Array<ArrayBuffer> = new Int32Array(MIN_SPANS);
  /** How many numbers are used. */
  used = 0;
  /** How many bytes the messages have together. */
  bytes = 0;
  /** What stands for messages without bytes, by their numbers, where it is not `EMPTY`. */
  empties: Map<number, Uint8Array> | undefined;

  /** Empties the list. One that a very large chunk has made very long is not kept. */
  clear(): void {
    if (this.list.length > MAX_KEPT_SPANS) this.list = new Int32Array(MIN_SPANS);
    this.used = this.bytes = 0;
    this.empties = undefined;
  }

  /** Makes the list longer, and returns it. */
  grow(): Int32Array<ArrayBuffer> {
    const longer = new Int32Array(2 * this.list.length);
    longer.set(this.list);
    return this.list = longer;
  }

  /** Adds a message. If it has no bytes, `empty` stands for it. */
  add(start: number, end: number, empty: Uint8Array): void {
    if (start === end && empty !== EMPTY) (this.empties ??= new Map()).set(this.used / 2, empty);
    if (this.used === this.list.length) this.grow();
    this.list[this.used++] = start;
    this.list[this.used++] = end;
    this.bytes += end - start;
  }

  /** Adds a view of each message to `messages`. */
  pushViews({ buffer, byteOffset }: Uint8Array, messages: Uint8Array[]): void {
    const { list, used, empties } = this;
    for (let i = 0; i < used; i += 2) {
      const bytes = list[i + 1] - list[i];
      // `new Uint8Array()` takes a fifth less time than subarray(), which looks up the species.
      messages.push(
        bytes > 0
          ? new Uint8Array(buffer, byteOffset + list[i], bytes)
          : empties?.get(i / 2) ?? EMPTY,
      );
    }
  }
}
