/** Framing by a length prefix of variable width, in base 128. */

import { InvalidLengthError, MessageTooLargeError } from "../errors.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { hint } from "./hint.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import type { Memory } from "../internal/memory.ts";

const MAX_VARINT_BYTES = 10;

/**
 * Frames messages by a length prefix that is an unsigned base-128 varint, least significant group
 * first. Protobuf's delimited streams, Go's `binary.PutUvarint` and Netty's
 * `ProtobufVarint32FrameDecoder` use it. The prefix is written in its shortest form. Longer forms are
 * accepted, up to 10 bytes, which is the width of a 64-bit varint.
 *
 * @throws {RangeError} if the limit is out of range.
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
export function varint(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new VarintFraming(checkLimit(maxMessageBytes));
}

class VarintFraming implements Framing {
  readonly name = "varint";
  readonly keepsBoundaries = true;

  constructor(readonly maxMessageBytes: number) {}

  withLimit(maxMessageBytes: number): Framing {
    return new VarintFraming(checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new VarintDecoder(this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    return varintBytes(message.length) + message.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const start = writeVarint(message.length, target, at);
    target.set(message, start);
    return start + message.length;
  }

  encodeParts(message: Uint8Array): Uint8Array[] {
    return [this.encodeHeader(message), message];
  }

  encodeHeader(message: Uint8Array): Uint8Array {
    const header = new Uint8Array(varintBytes(message.length));
    writeVarint(message.length, header, 0);
    return header;
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }
}

class VarintDecoder extends PrefixDecoder {
  readonly #maxBytes: number;

  constructor(maxMessageBytes: number, memory: Memory | undefined) {
    super(1, MAX_VARINT_BYTES, memory);
    this.#maxBytes = maxMessageBytes;
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
    const length = readVarint(chunk, at, start);
    this.skip = start - at;
    if (length > this.#maxBytes) {
      const likely = hint(chunk.subarray(at, at + 4));
      throw new MessageTooLargeError("receive", length, this.#maxBytes, likely);
    }
    return this.skip + length;
  }
}
