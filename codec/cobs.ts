/** Framing of serial lines by a zero byte (consistent overhead byte stuffing). */

import { InvalidLengthError } from "../errors.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "./framing.ts";
import { canonical } from "./names.ts";
import { FrameScanner, view } from "./scan_decoder.ts";
import { scanned } from "./scanned.ts";

/** The code of the longest block: 254 bytes, and no zero behind it. */
const FULL = 0xff;

/**
 * Frames messages by consistent overhead byte stuffing (Cheshire and Baker, 1999), as many serial lines
 * do. A message becomes blocks without zeros, and a zero ends the frame. Each block begins with a code
 * byte, its size. Between two blocks there is a zero in the message, but not behind a block of 255. A
 * message grows by a byte for each 254 that it has.
 *
 * A zero byte between two frames is dropped. A message may be empty: 01 00.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example Two blocks
 * ```ts
 * import { cobs } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = cobs().encode(new Uint8Array([0x11, 0x22, 0x00, 0x33]));
 * assertEquals(frame, new Uint8Array([0x03, 0x11, 0x22, 0x02, 0x33, 0x00]));
 * ```
 */
export function cobs(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return scanned({
    name: canonical("cobs", {}),
    maxMessageBytes,
    scanner: (limit, verb) => new CobsScanner(limit, verb),
    encoding: { frameBytes, encodeInto },
  });
}

function frameBytes(message: Uint8Array): number {
  // Only a run of 254 bytes without a zero, with more behind it, costs a code byte.
  let extra = 0;
  for (let start = 0; start < message.length;) {
    const zero = message.indexOf(0, start);
    const end = zero < 0 ? message.length : zero;
    const run = end - start;
    extra += zero < 0 ? Math.max(0, Math.ceil(run / 254) - 1) : Math.floor(run / 254);
    start = end + 1;
  }
  return 1 + message.length + extra + 1;
}

function encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
  const { length } = message;
  let code = at++;
  for (let i = 0; i < length; i++) {
    const byte = message[i];
    if (byte !== 0) target[at++] = byte;
    const size = at - code;
    if (byte === 0 || size === FULL && i + 1 < length) {
      target[code] = size;
      code = at++;
    }
  }
  target[code] = at - code;
  target[at++] = 0;
  return at;
}

class CobsScanner extends FrameScanner {
  /** The code of this block; 0 before the first one. */
  #code = 0;
  /** Bytes until the next code. */
  #left = 0;
  /** The size of the message up to the end of this block. */
  #size = 0;
  /** Whether the last frame had more than one block. */
  #hasBlocks = false;

  constructor(maxMessageBytes: number, verb: "send" | "receive") {
    super(maxMessageBytes, 2 + Math.floor(maxMessageBytes / 254), verb);
  }

  override skip(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && bytes[at] === 0) at++;
    return at;
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    const zero = bytes.indexOf(0, at);
    const stop = zero >= 0 && zero < end ? zero : end;
    if (this.#code === 0) this.#hasBlocks = false;
    while (at < stop) {
      if (this.#left === 0) this.#begin(bytes[at++]);
      const step = Math.min(this.#left, stop - at);
      this.#left -= step;
      at += step;
    }
    if (stop === end) return -1;
    if (this.#left > 0) {
      throw new InvalidLengthError(
        `Cannot receive message: its frame ends ${this.at(stop + origin)}, ` +
          `${this.#left} bytes before its block of ${this.#code} bytes does`,
      );
    }
    this.#code = this.#size = 0;
    return stop + 1;
  }

  #begin(code: number): void {
    if (this.#code > 0) {
      this.#hasBlocks = true;
      if (this.#code !== FULL) this.#size++;
    }
    this.#size += code - 1;
    if (this.#size > this.maxMessageBytes) this.refuseSize(this.#size, true);
    this.#code = code;
    this.#left = code - 1;
  }

  /** Puts zeros where codes were, and closes the gaps behind full blocks. */
  override unwrap(bytes: Uint8Array, from: number, to: number, isOwn: boolean): Uint8Array {
    if (!this.#hasBlocks) return view(bytes, from + 1, to - 1);
    const size = to - from - 2; // Full blocks make it shorter.
    const message = isOwn ? view(bytes, from + 1, to - 1) : new Uint8Array(size);
    let end = 0;
    let at = from;
    let code = bytes[at];
    while (true) {
      message.set(bytes.subarray(at + 1, at + code), end);
      end += code - 1;
      at += code;
      if (at >= to - 1) break;
      const next = bytes[at];
      if (code !== FULL) message[end++] = 0;
      code = next;
    }
    return view(message, 0, end);
  }

  override missing(): number {
    return this.#left + 1;
  }
}
