/** Framing by the length of Go's encoding/gob. */

import { InvalidLengthError, MessageTooLargeError } from "../errors.ts";
import { BaseFraming } from "./base.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { hint } from "./hint.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
import type { Memory } from "../internal/memory.ts";

/** A length below this is its own byte. */
const ONE_BYTE = 128;
const MAX_LENGTH_BYTES = 8;

/**
 * Frames messages by a length prefix as Go's `encoding/gob` writes it. A length below 128 is one byte.
 * Any other one is its bytes, most significant first, behind a byte that has their negated number: 0xFF
 * for one, 0xFE for two. The prefix is written in its shortest form. Longer forms are accepted, up to 8
 * bytes of length, as Go does.
 *
 * Messages of `encoding/gob` must stay in order and complete, because later ones use the types that
 * earlier ones define.
 *
 * @throws {RangeError} if the limit is out of range.
 *
 * @example 256 bytes
 * ```ts
 * import { gobUvarint } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = gobUvarint().encode(new Uint8Array(256));
 * assertEquals(frame.subarray(0, 3), new Uint8Array([0xfe, 0x01, 0x00]));
 * ```
 */
export function gobUvarint(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new GobUvarintFraming(checkLimit(maxMessageBytes));
}

class GobUvarintFraming extends BaseFraming {
  readonly name = "gobUvarint";

  constructor(readonly maxMessageBytes: number) {
    super();
  }

  withLimit(maxMessageBytes: number): Framing {
    return new GobUvarintFraming(checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new GobUvarintDecoder(this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    return headerBytes(message.length) + message.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const start = writeHeader(message.length, target, at);
    target.set(message, start);
    return start + message.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    return [this.encodeHeader(message), message];
  }

  encodeHeader(message: Uint8Array): Uint8Array {
    const header = new Uint8Array(headerBytes(message.length));
    writeHeader(message.length, header, 0);
    return header;
  }
}

function headerBytes(length: number): number {
  if (length < ONE_BYTE) return 1;
  let bytes = 2;
  for (; length >= 256; length = Math.floor(length / 256)) bytes++;
  return bytes;
}

/** Writes the prefix at `at`, and returns where it ends. */
function writeHeader(length: number, target: Uint8Array, at: number): number {
  const start = at + headerBytes(length);
  target[at] = length < ONE_BYTE ? length : 256 - (start - at - 1);
  for (let i = start - 1; i > at; i--) {
    target[i] = length;
    length = Math.floor(length / 256);
  }
  return start;
}

class GobUvarintDecoder extends PrefixDecoder {
  readonly #maxBytes: number;

  constructor(maxMessageBytes: number, memory: Memory | undefined) {
    super(1, 1 + MAX_LENGTH_BYTES, memory);
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    const first = chunk[at];
    let length = first;
    this.skip = 1;
    if (first >= ONE_BYTE) {
      const bytes = 256 - first;
      if (bytes > MAX_LENGTH_BYTES) {
        throw new InvalidLengthError(
          `Cannot receive message: its length at byte ${this.origin + at} has ${bytes} bytes: ` +
            `limit is ${MAX_LENGTH_BYTES} bytes`,
        );
      }
      this.skip = 1 + bytes;
      if (end - at < this.skip) return -1;
      length = 0;
      for (let i = 1; i <= bytes; i++) length = length * 256 + chunk[at + i];
    }
    if (length > this.#maxBytes) {
      const likely = hint(chunk.subarray(at, at + 4)) ??
        `its length is at byte ${this.origin + at}`;
      throw new MessageTooLargeError("receive", length, this.#maxBytes, likely);
    }
    return this.skip + length;
  }
}
