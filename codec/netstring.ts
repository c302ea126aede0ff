/** Framing by netstrings. */

import { InvalidMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import {
  decimalDigits,
  digitsEnd,
  isDigit,
  MAX_DIGITS,
  readLength,
  refuseLength,
  writeDecimal,
} from "./decimal.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { hexByte } from "./hint.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";

const ZERO = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;
const END = /* @__PURE__ */ new Uint8Array([COMMA]);

/**
 * Frames messages as netstrings: the length in decimal digits, a colon, the message, a comma (D. J.
 * Bernstein, "Netstrings", 1997). QMQP, SCGI and Mongrel2 use them. A length has no sign, no space and
 * no leading zero.
 *
 * @throws {RangeError} if the limit is out of range.
 *
 * @example One message
 * ```ts
 * import { netstring } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = netstring().encode(new TextEncoder().encode("hello"));
 * assertEquals(new TextDecoder().decode(frame), "5:hello,");
 * ```
 */
export function netstring(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new NetstringFraming(checkLimit(maxMessageBytes));
}

class NetstringFraming extends BaseFraming {
  readonly name = "netstring";

  constructor(readonly maxMessageBytes: number) {
    super();
  }

  withLimit(maxMessageBytes: number): Framing {
    return new NetstringFraming(checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new NetstringDecoder(this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    return decimalDigits(message.length) + 1 + message.length + 1;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const colon = writeDecimal(message.length, target, at);
    target[colon] = COLON;
    target.set(message, colon + 1);
    target[colon + 1 + message.length] = COMMA;
    return colon + 2 + message.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const header = new Uint8Array(decimalDigits(message.length) + 1);
    header[writeDecimal(message.length, header, 0)] = COLON;
    return [header, message, END];
  }
}

class NetstringDecoder extends PrefixDecoder {
  protected override tail = 1;
  readonly #maxBytes: number;

  constructor(maxMessageBytes: number, memory: Memory | undefined) {
    super(2, MAX_DIGITS + 1, memory);
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    let length = chunk[at] - ZERO;
    let i = at + 1;
    if (length > 0 && length < 10) {
      for (; i < end && isDigit(chunk[i]); i++) length = length * 10 + (chunk[i] - ZERO);
    }
    if (i === end || chunk[i] !== COLON || length > this.#maxBytes || !isDigit(chunk[at])) {
      return this.#measureOdd(chunk, at, end);
    }
    this.skip = i + 1 - at;
    return this.skip + length + 1;
  }

  /** The same for a length that is not whole, or wrong. */
  #measureOdd(chunk: Uint8Array, at: number, end: number): number {
    const colon = digitsEnd(chunk, at, end);
    if (colon === end && colon - at <= MAX_DIGITS) return -1;
    const digits = { bytes: chunk, at, end: colon, offset: this.origin + at };
    if (chunk[colon] !== COLON && colon - at <= MAX_DIGITS) {
      refuseLength(digits, this.#maxBytes, "must be decimal digits and a colon");
    }
    const length = readLength(digits, this.#maxBytes);
    this.skip = colon + 1 - at;
    return this.skip + length + 1;
  }

  protected override checkTail(bytes: Uint8Array, at: number, offset: number): void {
    if (bytes[at] === COMMA) return;
    throw new InvalidMessageError(
      `Cannot receive message: byte ${offset} is ${
        hexByte(bytes[at])
      }, where a netstring ends with a comma`,
    );
  }
}
