/** The decoder of framings whose frames end with certain bytes. */

import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { type Decoder, EMPTY } from "./framing.ts";
import { Gather } from "./gather.ts";
import { hexByte, hint } from "./hint.ts";

/** How a frame begins and ends. */
export interface EndLayout {
  /** The ends, none of which has another one inside it, but for at its own end. */
  readonly ends: readonly Uint8Array[];
  /** The byte with which each frame begins, and which is not part of the message. */
  readonly start?: number;
  /** Bytes between frames that are dropped, if frames begin with a byte of their own. */
  readonly fillers?: readonly number[];
  /** Whether a message contains the end of its frame. */
  readonly keep?: boolean;
  /** Whether the bytes behind the last end are a message. */
  readonly openEnd?: boolean;
  /** What to call the ends in errors. */
  readonly name: string;
}

/** So many words are looked at before `indexOf()`, which takes as long to begin. */
const NEAR_WORDS = 24;
const NO_WORDS = /* @__PURE__ */ new Uint32Array(0);

/**
 * A frame ends where one of the ends is complete for the first time. If several are, the longest counts.
 * So it never depends on the bytes that follow, nor on where the stream is cut.
 */
export class EndDecoder implements Decoder {
  readonly #layout: EndLayout;
  readonly #maxBytes: number;
  /** The longest first. */
  readonly #ends: readonly Uint8Array[];
  /** The bytes that an end can end with, and where each of them comes next in this chunk. */
  readonly #lasts: readonly number[];
  readonly #next: number[];
  readonly #longest: number;
  readonly #skip: number;
  /** Whether there is one end, and frames begin with no byte of their own. */
  readonly #isSimple: boolean;
  readonly #gather: Gather;
  /** The last bytes of what is gathered, in which an end may begin. */
  readonly #tail: Uint8Array;
  #tailBytes = 0;
  /** The length of the end that was found. */
  #found = 0;
  /** Bytes in the chunks before this one. */
  #before = 0;
  #failure: unknown;

  constructor(layout: EndLayout, maxMessageBytes: number, memory: Memory | undefined) {
    this.#layout = layout;
    this.#maxBytes = maxMessageBytes;
    this.#ends = layout.ends.toSorted((a, b) => b.length - a.length);
    this.#lasts = [...new Set(layout.ends.map((end) => end[end.length - 1]))];
    this.#next = this.#lasts.map(() => 0);
    this.#longest = this.#ends[0].length;
    this.#skip = layout.start === undefined ? 0 : 1;
    this.#isSimple = this.#skip === 0 && this.#ends.length === 1;
    this.#tail = this.#longest === 1 ? EMPTY : new Uint8Array(this.#longest - 1);
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#gather.bytes;
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    const { buffer, byteOffset, length } = chunk;
    const { start, keep } = this.#layout;
    const [skip, maxBytes] = [this.#skip, this.#maxBytes];
    this.#next.fill(-1);
    let at = 0;
    while (at < length) {
      const isNew = this.#gather.bytes === 0;
      if (isNew && this.#isSimple) {
        at = this.#decodeWhole(chunk, at, messages);
        break;
      }
      if (isNew && start !== undefined) {
        at = this.#begin(chunk, at, start);
        if (at === length) break;
      }
      const end = this.#find(chunk, at, isNew ? at + skip : at);
      if (end < 0) break;
      if (isNew) {
        const bytes = end - at - skip - (keep ? 0 : this.#found);
        if (bytes > maxBytes) this.#refuse(bytes, at);
        messages.push(bytes === 0 ? EMPTY : new Uint8Array(buffer, byteOffset + at + skip, bytes));
      } else {
        messages.push(this.#finish(chunk.subarray(0, end)));
      }
      at = end;
    }
    if (at < length) this.#suspend(chunk.subarray(at), at);
    this.#before += length;
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#gather.bytes === 0) return messages;
    if (!this.#layout.openEnd) {
      const shortest = this.#ends[this.#ends.length - 1].length;
      const missing = Math.max(1, shortest - this.#gather.bytes);
      throw this.#fail(new TruncatedMessageError(this.#gather.bytes, missing, "body"));
    }
    this.#found = 0;
    messages.push(this.#finish(EMPTY));
    return messages;
  }

  /** Decodes the frames that are whole, if there is one end and no start. Returns where they end. */
  #decodeWhole(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    const { buffer, byteOffset, length } = chunk;
    const end = this.#ends[0];
    const before = end.length - 1;
    const last = end[before];
    const extra = this.#layout.keep ? 1 : -before;
    const maxBytes = this.#maxBytes;
    // Four bytes at a time: a word has the byte if this subtraction borrows where the word has zeros
    // after the byte was taken away by `^`.
    const first = -byteOffset & 3;
    const words = length < 8
      ? NO_WORDS // Behind the start of a word may be the end of the memory.
      : new Uint32Array(buffer, byteOffset + first, length - first >> 2);
    const pattern = Math.imul(last, 0x01010101);
    for (let i = at + before; i < length; i++) {
      while (i < length && (i - first & 3) !== 0 && chunk[i] !== last) i++;
      if (i < length && chunk[i] !== last) {
        let w = i - first >> 2;
        const near = Math.min(words.length, w + NEAR_WORDS);
        for (; w < near; w++) {
          const rest = words[w] ^ pattern;
          if ((rest - 0x01010101 & ~rest & 0x80808080) !== 0) break;
        }
        i = first + w * 4;
        const end = Math.min(length, i + 4);
        while (i < end && chunk[i] !== last) i++;
        if (i === end) {
          i = end < length ? chunk.indexOf(last, end) : -1;
          if (i < 0) break;
        }
      }
      if (i === length) break;
      let k = before;
      while (k > 0 && chunk[i - k] === end[before - k]) k--;
      if (k > 0) continue;
      const bytes = i - at + extra;
      if (bytes > maxBytes) this.#refuse(bytes, at);
      messages.push(bytes === 0 ? EMPTY : new Uint8Array(buffer, byteOffset + at, bytes));
      at = i + 1;
      i += before;
    }
    return at;
  }

  /** Skips fillers. Returns where the frame begins, or the end of the chunk. */
  #begin(chunk: Uint8Array, at: number, start: number): number {
    const { fillers = [], name } = this.#layout;
    while (at < chunk.length && fillers.includes(chunk[at])) at++;
    if (at === chunk.length || chunk[at] === start) return at;
    const likely = hint(chunk.subarray(at, at + 4));
    throw this.#fail(
      new InvalidMessageError(
        `Cannot receive message: byte ${this.#before + at} is ${
          hexByte(chunk[at])
        }, where framing ${name} ` +
          `begins with ${hexByte(start)}${likely === undefined ? "" : ` (${likely})`}`,
      ),
    );
  }

  /** Where the first end from `from` on is complete, or -1. The frame begins at `at`, or before. */
  #find(chunk: Uint8Array, at: number, from: number): number {
    if (this.#lasts.length > 1) return this.#findAny(chunk, at, from);
    const last = this.#lasts[0];
    for (let i = chunk.indexOf(last, from); i >= 0; i = chunk.indexOf(last, i + 1)) {
      if (this.#isEnd(chunk, at, from, i)) return i + 1;
    }
    return -1;
  }

  /** The same, if the ends do not have the same last byte. */
  #findAny(chunk: Uint8Array, at: number, from: number): number {
    for (let i = from;; i++) {
      let nearest = Infinity;
      for (let k = 0; k < this.#lasts.length; k++) {
        if (this.#next[k] < i) {
          const found = chunk.indexOf(this.#lasts[k], i);
          this.#next[k] = found < 0 ? Infinity : found;
        }
        if (this.#next[k] < nearest) nearest = this.#next[k];
      }
      if (nearest === Infinity) return -1;
      if (this.#isEnd(chunk, at, from, nearest)) return nearest + 1;
      i = nearest;
    }
  }

  /** Whether an end is complete with byte `last` of the chunk. Sets `#found` to its length. */
  #isEnd(chunk: Uint8Array, at: number, from: number, last: number): boolean {
    const first = at === 0 ? from - this.#tailBytes : from;
    for (const end of this.#ends) {
      const start = last + 1 - end.length;
      if (start < first) continue;
      let i = end.length - 1;
      while (i >= 0 && this.#byteAt(chunk, start + i) === end[i]) i--;
      if (i >= 0) continue;
      this.#found = end.length;
      return true;
    }
    return false;
  }

  /** A byte of the chunk, or of those just before it. */
  #byteAt(chunk: Uint8Array, at: number): number {
    return at >= 0 ? chunk[at] : this.#tail[this.#tailBytes + at];
  }

  /** Makes a message of the gathered bytes and the rest of its frame. */
  #finish(rest: Uint8Array): Uint8Array {
    const total = this.#gather.bytes + rest.length;
    const bytes = total - this.#skip - (this.#layout.keep ? 0 : this.#found);
    if (bytes > this.#maxBytes) this.#refuse(bytes, -this.#gather.bytes);
    const whole = this.#gather.take(this.#skip, rest);
    this.#tailBytes = 0;
    return bytes === 0 ? EMPTY : bytes === whole.length ? whole : whole.subarray(0, bytes);
  }

  /** Keeps the start of a frame, and in addition its last bytes. */
  #suspend(rest: Uint8Array, at: number): void {
    const slack = this.#layout.keep ? 0 : this.#longest - 1;
    const least = this.#gather.bytes + rest.length - this.#skip - slack;
    if (least > this.#maxBytes) this.#refuse(least, at - this.#gather.bytes);
    this.#gather.push(rest);
    const tail = this.#tail;
    if (rest.length >= tail.length) {
      tail.set(rest.subarray(rest.length - tail.length));
      this.#tailBytes = tail.length;
      return;
    }
    const kept = Math.min(this.#tailBytes, tail.length - rest.length);
    tail.copyWithin(0, this.#tailBytes - kept, this.#tailBytes);
    tail.set(rest, kept);
    this.#tailBytes = kept + rest.length;
  }

  #refuse(size: number, at: number): never {
    const where = `at least, its frame begins at byte ${this.#before + at}`;
    throw this.#fail(new MessageTooLargeError("receive", size, this.#maxBytes, where));
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    return error;
  }
}
