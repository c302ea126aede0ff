/** Framing by a fixed size. */

import { InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming, limitOf } from "./base.ts";
import { checkLimit, type Decoder, type Framing, type FramingOptions } from "./framing.ts";
import { canonical } from "./names.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";

/**
 * Frames messages that all have the same size: nothing is added to them. Packets of an MPEG transport
 * stream have 188 bytes. A message of another size is refused, and so is a stream that ends inside a
 * message.
 *
 * @throws {RangeError} for a size or a limit out of range.
 *
 * @example Records of two bytes
 * ```ts
 * import { fixed } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const messages = fixed(2).decoder().decode(new Uint8Array([1, 2, 3, 4, 5]));
 * assertEquals(messages, [new Uint8Array([1, 2]), new Uint8Array([3, 4])]);
 * ```
 */
export function fixed(bytes: number, options: FramingOptions = {}): Framing {
  checkInteger("bytes", bytes, 1, Number.MAX_SAFE_INTEGER);
  const most = limitOf(
    `a size of ${bytes} bytes`,
    options.maxMessageBytes,
    Number.MAX_SAFE_INTEGER,
  );
  if (bytes > most) {
    throw new RangeError(
      `Cannot use bytes ${bytes} together with maxMessageBytes ${most}: each message is too large`,
    );
  }
  return new FixedFraming(bytes, bytes);
}

class FixedFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective = true;
  readonly #bytes: number;

  constructor(bytes: number, readonly maxMessageBytes: number) {
    super();
    this.#bytes = bytes;
    this.name = canonical("fixed", {}, [bytes]);
  }

  withLimit(maxMessageBytes: number): Framing {
    return new FixedFraming(this.#bytes, Math.min(checkLimit(maxMessageBytes), this.#bytes));
  }

  decoder(memory?: Memory): Decoder {
    return new FixedDecoder(this.#bytes, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    if (message.length === this.#bytes) return this.#bytes;
    throw new InvalidMessageError(
      `Cannot send message of ${message.length} bytes: framing ${this.name} has messages of ` +
        `${this.#bytes} bytes only`,
    );
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    target.set(message, at);
    return at + message.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    this.frameBytes(message);
    return [message];
  }
}

class FixedDecoder extends PrefixDecoder {
  readonly #bytes: number;
  readonly #maxBytes: number;

  constructor(bytes: number, maxMessageBytes: number, memory: Memory | undefined) {
    super(0, 0, memory);
    this.#bytes = bytes;
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(): number {
    if (this.#bytes <= this.#maxBytes) return this.#bytes;
    throw new MessageTooLargeError("receive", this.#bytes, this.#maxBytes);
  }
}
