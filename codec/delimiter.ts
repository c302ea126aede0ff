/** Framing by bytes that end each message. */

import { InvalidMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import { EndDecoder, type EndLayout } from "./end_decoder.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { canonical } from "./names.ts";

/** The longest delimiter, in bytes. */
const MAX_BYTES = 64;
/** How many delimiters there may be. */
const MAX_COUNT = 16;

/** Options of {@linkcode delimiter}. */
export interface DelimiterOptions extends FramingOptions {
  /**
   * Whether a message contains the delimiter that ends it. Then messages that are sent must end with
   * one.
   *
   * @default false
   */
  keep?: boolean;
  /**
   * Whether the bytes behind the last delimiter are a message, when the stream ends. If not, they are
   * an error.
   *
   * @default false
   */
  openEnd?: boolean;
}

/**
 * Frames messages by a delimiter behind each: any 1 to 64 bytes, also several (up to 16), of which the
 * first is sent. A string means its UTF-8. A message ends where a delimiter is complete for the first
 * time; if several end there, the longest counts: with `"\r\n"` and `"\n"`, both newlines are dropped
 * whole. A message that contains a delimiter is not sent.
 *
 * @throws {TypeError} for no delimiter, an empty one, too many, or one that could never be seen,
 * because another one ends inside it.
 * @throws {RangeError} for a limit out of range.
 *
 * @example Texts that end with NUL
 * ```ts
 * import { delimiter } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const framing = delimiter("\0");
 * assertEquals(framing.encode(new Uint8Array([104, 105])), new Uint8Array([104, 105, 0]));
 * ```
 */
export function delimiter(
  delimiters: Uint8Array | string | readonly (Uint8Array | string)[],
  options: DelimiterOptions = {},
): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, keep = false, openEnd = false } = options;
  const list: readonly (Uint8Array | string)[] = Array.isArray(delimiters)
    ? delimiters
    : [delimiters];
  const ends = list.map((one) =>
    typeof one === "string" ? new TextEncoder().encode(one) : one.slice()
  );
  checkEnds(ends);
  return new DelimiterFraming(ends, keep, openEnd, checkLimit(maxMessageBytes));
}

function checkEnds(ends: readonly Uint8Array[]): void {
  if (ends.length === 0 || ends.length > MAX_COUNT) {
    throw new TypeError(`Cannot use ${ends.length} delimiters: there must be 1 to ${MAX_COUNT}`);
  }
  for (const [i, end] of ends.entries()) {
    if (end.length === 0 || end.length > MAX_BYTES) {
      throw new TypeError(
        `Cannot use delimiter of ${end.length} bytes: it must have 1 to ${MAX_BYTES}`,
      );
    }
    for (const [k, other] of ends.entries()) {
      const stop = i === k ? -1 : endOf(end, other);
      if (stop < 0 || stop === end.length && other.length < end.length) continue;
      const why = other.length === end.length ? "it is the same" : "that one ends inside it";
      throw new TypeError(
        `Cannot use delimiter ${hexOf(end)} together with ${hexOf(other)}: ${why}`,
      );
    }
  }
}

/** Where `end` is complete in these bytes for the first time; -1 if it is not there. */
function endOf(bytes: Uint8Array, end: Uint8Array): number {
  for (let at = bytes.indexOf(end[0]); at >= 0; at = bytes.indexOf(end[0], at + 1)) {
    if (end.every((byte, i) => bytes[at + i] === byte)) return at + end.length;
  }
  return -1;
}

/** Where the first of these ends is complete; -1 if none is there. */
function firstEnd(bytes: Uint8Array, ends: readonly Uint8Array[]): number {
  const stops = ends.map((end) => endOf(bytes, end)).filter((stop) => stop >= 0);
  return stops.length === 0 ? -1 : Math.min(...stops);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class DelimiterFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective = true;
  readonly #layout: EndLayout & { readonly keep: boolean; readonly openEnd: boolean };
  readonly #longest: number;

  constructor(
    ends: readonly Uint8Array[],
    keep: boolean,
    openEnd: boolean,
    readonly maxMessageBytes: number,
  ) {
    super();
    this.name = canonical(
      "delimiter",
      { keep: keep || undefined, openEnd: openEnd || undefined },
      ends.map(hexOf),
    );
    this.#longest = Math.max(...ends.map((end) => end.length));
    this.#layout = { ends, keep, openEnd, name: this.name };
  }

  withLimit(maxMessageBytes: number): Framing {
    const { ends, keep, openEnd } = this.#layout;
    return new DelimiterFraming(ends, keep, openEnd, checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new EndDecoder(this.#layout, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    this.#check(message);
    const { ends: [end], keep } = this.#layout;
    return message.length + (keep ? 0 : end.length);
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const { ends: [end], keep } = this.#layout;
    target.set(message, at);
    if (keep) return at + message.length;
    target.set(end, at + message.length);
    return at + message.length + end.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    this.#check(message);
    const { ends: [end], keep } = this.#layout;
    return keep ? [message] : [message, end];
  }

  /** Checks that the receiver finds the end of this message where it is, and nowhere else. */
  #check(message: Uint8Array): void {
    const { ends, keep } = this.#layout;
    const stop = firstEnd(message, ends);
    if (keep && stop !== message.length) {
      throw new InvalidMessageError(
        `Cannot send message: it must have a delimiter at its end, and nowhere else`,
      );
    }
    if (keep) return;
    if (stop >= 0) {
      throw new InvalidMessageError(
        `Cannot send message: it has a delimiter that ends at byte ${stop}`,
      );
    }
    if (this.#longest > 1 && !this.#endsRight(message)) {
      throw new InvalidMessageError(
        "Cannot send message: its end and the delimiter behind it look like another delimiter",
      );
    }
  }

  /** Whether no end is complete too early, or begins too early, at the end of a message. */
  #endsRight(message: Uint8Array): boolean {
    const { ends } = this.#layout;
    const last = message.subarray(Math.max(0, message.length - this.#longest + 1));
    const joined = new Uint8Array(last.length + ends[0].length);
    joined.set(last);
    joined.set(ends[0], last.length);
    return firstEnd(joined, ends) === joined.length &&
      !ends.some((end) => end.length > ends[0].length && endOf(joined, end) === joined.length);
  }
}
