/** Framing by a length prefix of variable width, in base 128. */

import { InvalidLengthError, MessageTooLargeError } from "../errors.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  EMPTY,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { hint } from "./hint.ts";
import { canonical } from "./names.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import type { Memory } from "../internal/memory.ts";

const MAX_VARINT_BYTES = 10;

/** Options of {@linkcode varint}. */
export interface VarintOptions extends FramingOptions {
  /**
   * The order of the groups of 7 bits: least significant first, or most significant first. The latter
   * is the order of BER's object identifiers (X.690, 8.19), MIDI's variable-length quantities and
   * Perl's `pack "w"`.
   *
   * @default "little"
   */
  endian?: "big" | "little";
}

/**
 * Frames messages by a length prefix that is an unsigned base-128 varint, least significant group
 * first. Protobuf's delimited streams, Go's `binary.PutUvarint` and Netty's
 * `ProtobufVarint32FrameDecoder` use it. The prefix is written in its shortest form. Longer forms are
 * accepted, up to 10 bytes, which is the width of a 64-bit varint.
 *
 * @throws {RangeError} if the limit is out of range.
 * @throws {TypeError} for another order.
 *
 * @example 300 bytes
 * ```ts
 * import { varint } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = varint().encode(new Uint8Array(300));
 * assertEquals(frame.subarray(0, 2), new Uint8Array([0xac, 0x02]));
 * ```
 */
export function varint(options: VarintOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, endian = "little" } = options;
  if (endian !== "big" && endian !== "little") {
    throw new TypeError(`Cannot use endian "${endian}": it must be "big" or "little"`);
  }
  return new VarintFraming(endian, checkLimit(maxMessageBytes));
}

class VarintFraming implements Framing {
  readonly name: string;
  readonly keepsBoundaries = true;
  readonly #endian: "big" | "little";
  readonly #write: typeof writeVarint;

  constructor(endian: "big" | "little", readonly maxMessageBytes: number) {
    this.#endian = endian;
    this.#write = endian === "big" ? writeBig : writeVarint;
    this.name = canonical("varint", { endian: endian === "big" ? endian : undefined });
  }

  withLimit(maxMessageBytes: number): Framing {
    return new VarintFraming(this.#endian, checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new VarintDecoder(this.#endian, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    return varintBytes(message.length) + message.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const { length } = message;
    let start = at + 1;
    if (length < 0x80) target[at] = length; // The same in both byte orders.
    else start = this.#write(length, target, at);
    target.set(message, start);
    return start + length;
  }

  encodeParts(message: Uint8Array): Uint8Array[] {
    return [this.encodeHeader(message), message];
  }

  encodeHeader(message: Uint8Array): Uint8Array {
    const header = new Uint8Array(varintBytes(message.length));
    this.#write(message.length, header, 0);
    return header;
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }
}

class VarintDecoder extends PrefixDecoder {
  readonly #maxBytes: number;
  readonly #read: typeof readVarint;

  constructor(endian: "big" | "little", maxMessageBytes: number, memory: Memory | undefined) {
    super(1, MAX_VARINT_BYTES, memory);
    this.#maxBytes = maxMessageBytes;
    this.#read = endian === "big" ? readBig : readVarint;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    const last = Math.min(end, at + MAX_VARINT_BYTES);
    const start = varintEnd(chunk, at, last);
    if (start < 0) {
      if (last - at < MAX_VARINT_BYTES) return -1;
      throw new InvalidLengthError(
        `Cannot receive message: its varint is longer than ${MAX_VARINT_BYTES} bytes`,
      );
    }
    const length = this.#read(chunk, at, start);
    this.skip = start - at;
    if (length > this.#maxBytes) {
      const likely = hint(chunk.subarray(at, at + 4));
      throw new MessageTooLargeError("receive", length, this.#maxBytes, likely);
    }
    return this.skip + length;
  }

  /**
   * Lengths of one and two bytes are read at once: this is the loop for each message. While a view is made,
   * the processor fetches the next length, so it takes a quarter less time than one loop after the other.
   */
  protected override scanViews(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    if (this.#read !== readVarint) return at;
    const { buffer, byteOffset, length: end } = chunk;
    const maxBytes = this.#maxBytes;
    while (at < end) {
      let start = at + 1;
      let length = chunk[at];
      if (length >= 0x80) {
        if (start === end || chunk[start] >= 0x80) break;
        length = length & 0x7f | chunk[start++] << 7;
      }
      if (length > maxBytes || start + length > end) break;
      messages.push(length > 0 ? new Uint8Array(buffer, byteOffset + start, length) : EMPTY);
      at = start + length;
    }
    return at;
  }
}

/** The number in the bytes from `at` to `end`, most significant group first. */
function readBig(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (; at < end; at++) value = value * 0x80 + (bytes[at] & 0x7f);
  return value;
}

/** Writes a number in its shortest form, most significant group first. Returns where it ends. */
function writeBig(value: number, target: Uint8Array, at: number): number {
  const end = at + varintBytes(value);
  for (let i = end - 1; i >= at; i--) {
    target[i] = i === end - 1 ? value & 0x7f : value & 0x7f | 0x80;
    value = Math.floor(value / 0x80);
  }
  return end;
}
