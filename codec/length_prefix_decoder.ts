/** Decoding by a length of fixed width. */

import { InvalidLengthError, MessageTooLargeError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { hint } from "./hint.ts";
import { integerName, READERS } from "./integers.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import type { Spans } from "./spans.ts";

/** Where the length stands in a header, and what it counts. `LengthPrefixOptions` tells more. */
export interface Layout {
  readonly bytes: 1 | 2 | 3 | 4 | 8;
  readonly endian: "big" | "little";
  readonly offset: number;
  readonly adjustment: number;
  readonly strip: number;
}

/** Decodes frames of one layout. */
export class LengthPrefixDecoder extends PrefixDecoder {
  readonly #read: (chunk: Uint8Array, at: number) => number;
  readonly #swapped: ((chunk: Uint8Array, at: number) => number) | undefined;
  readonly #offset: number;
  readonly #headerBytes: number;
  readonly #extra: number;
  readonly #maxBytes: number;
  /**
   * The bounds of a length. They are not those of a frame: its size may be more than a number can
   * hold exactly.
   */
  readonly #maxLength: number;
  readonly #minLength: number;

  constructor(
    layout: Layout,
    maxMessageBytes: number,
    memory: Memory | undefined,
  ) {
    const { bytes, endian, offset, adjustment, strip } = layout;
    super(offset + bytes, offset + bytes, memory);
    this.skip = strip;
    this.#read = READERS[integerName(layout)];
    this.#swapped = READERS[integerName({ bytes, endian: endian === "big" ? "little" : "big" })];
    this.#offset = offset;
    this.#headerBytes = offset + bytes;
    this.#extra = adjustment + offset + bytes;
    this.#maxBytes = maxMessageBytes;
    this.#maxLength = maxMessageBytes + (strip - this.#extra);
    this.#minLength = Math.max(offset + bytes, strip) - this.#extra;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    if (end - at < this.#headerBytes) return -1;
    const length = this.#read(chunk, at + this.#offset);
    if (length > this.#maxLength || length < this.#minLength) this.#refuse(chunk, at, length);
    return length + this.#extra;
  }

  /** As the one of every prefix, with all that it needs at hand: this is the loop for each message. */
  protected override scan(chunk: Uint8Array, at: number, end: number, spans: Spans): number {
    const { skip } = this;
    const read = this.#read;
    const lengthAt = this.#offset;
    const lastStart = end - this.#headerBytes;
    const extra = this.#extra;
    const minLength = this.#minLength;
    const maxLength = this.#maxLength;
    let { list, used } = spans;
    const first = at;
    while (at <= lastStart) {
      const length = read(chunk, at + lengthAt);
      const next = at + length + extra;
      if (length > maxLength || length < minLength || next > end) break;
      if (used === list.length) list = spans.grow();
      list[used++] = at + skip;
      list[used++] = at = next;
    }
    spans.used = used;
    spans.bytes += at - first - skip * used / 2;
    return at;
  }

  /** As `scan()`, with a view for each message: one loop takes less time than one after the other. */
  protected override scanViews(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    const { skip, empty } = this;
    const { buffer, byteOffset, length: end } = chunk;
    const read = this.#read;
    const lengthAt = this.#offset;
    const lastStart = end - this.#headerBytes;
    const extra = this.#extra;
    const minLength = this.#minLength;
    const maxLength = this.#maxLength;
    while (at <= lastStart) {
      const length = read(chunk, at + lengthAt);
      const next = at + length + extra;
      if (length > maxLength || length < minLength || next > end) break;
      const start = at + skip;
      messages.push(
        next > start ? new Uint8Array(buffer, byteOffset + start, next - start) : empty,
      );
      at = next;
    }
    return at;
  }

  #refuse(chunk: Uint8Array, at: number, length: number): never {
    if (length > this.#maxLength) {
      const size = length + (this.#extra - this.skip);
      const swapped = this.#swapped === undefined
        ? undefined
        : this.#swapped(chunk, at + this.#offset) + this.#extra - this.skip;
      const likely = hint(chunk.subarray(at, at + 4), swapped, this.#maxBytes);
      throw new MessageTooLargeError("receive", size, this.#maxBytes, likely);
    }
    throw new InvalidLengthError(
      `Cannot receive message: length ${length} is too small, the header alone has ` +
        `${Math.max(this.#headerBytes, this.skip)} bytes`,
    );
  }
}
