/** Framing by a length of fixed width. */

import { InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { integerName, WRITERS } from "./integers.ts";
import { type Layout, LengthPrefixDecoder } from "./length_prefix_decoder.ts";
import { canonical, FRAMING_NAMES, type FramingName } from "./names.ts";
import type { Memory } from "../internal/memory.ts";

/**
 * Options of {@linkcode lengthPrefix}. Netty and tokio have other names for them: `offset` is
 * Netty's `lengthFieldOffset` and tokio's `length_field_offset`; `bytes` is `lengthFieldLength` and
 * `length_field_length`; `adjustment` is `lengthAdjustment` and `length_adjustment`; `strip` is
 * `initialBytesToStrip` and `num_skip`.
 */
export interface LengthPrefixOptions extends FramingOptions {
  /**
   * Width of the length, in bytes.
   *
   * @default 4
   */
  bytes?: 1 | 2 | 3 | 4 | 8;
  /**
   * Byte order of the length: most significant byte first, or last.
   *
   * @default "big"
   */
  endian?: "big" | "little";
  /**
   * How many bytes of the frame come before the length, 0 to 1024.
   *
   * @default 0
   */
  offset?: number;
  /**
   * The number to add to the length to get the number of bytes that follow it. It is negative when
   * the length also counts bytes of the header. It cannot be used together with `includesHeader`.
   *
   * @default 0
   */
  adjustment?: number;
  /**
   * Whether the length counts the whole frame: the bytes before it, itself, and what follows.
   *
   * @default false
   */
  includesHeader?: boolean;
  /**
   * How many bytes at the start of the frame are not part of the message, 0 to 4096. The decoder
   * drops them. The encoder writes zeros there, except for the length. With less than `offset +
   * bytes`, the message contains the header, or the end of the header. Then the encoder writes the
   * length over those bytes of the message.
   *
   * @default `offset + bytes`
   */
  strip?: number;
}

/**
 * Frames messages with a length of fixed width. The header can have every form that Netty's
 * `LengthFieldBasedFrameDecoder` and tokio's `LengthDelimitedCodec` support.
 *
 * @throws {RangeError} for a value out of its range.
 * @throws {TypeError} for options that contradict each other; the error names both.
 *
 * @example A little-endian length that counts itself, behind a type byte that the message keeps
 * ```ts
 * import { lengthPrefix } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const framing = lengthPrefix({ bytes: 2, endian: "little", offset: 1, includesHeader: true, strip: 0 });
 * const frame = framing.encode(new Uint8Array([7, 0, 0, 65, 66]));
 * assertEquals(frame, new Uint8Array([7, 5, 0, 65, 66]));
 * assertEquals(framing.decoder().decode(frame), [frame]);
 * ```
 */
export function lengthPrefix(options: LengthPrefixOptions = {}): Framing {
  const { bytes = 4, endian = "big", offset = 0, includesHeader = false } = options;
  if (![1, 2, 3, 4, 8].includes(bytes)) {
    throw new RangeError(`Cannot use bytes ${bytes}: it must be 1, 2, 3, 4 or 8`);
  }
  if (endian !== "big" && endian !== "little") {
    throw new TypeError(`Cannot use endian "${endian}": it must be "big" or "little"`);
  }
  checkInteger("offset", offset, 0, 1024);
  if (includesHeader && options.adjustment !== undefined) {
    throw new TypeError(
      `Cannot use includesHeader together with adjustment ${options.adjustment}: ` +
        `includesHeader means adjustment ${-(offset + bytes)}`,
    );
  }
  const { adjustment = includesHeader ? -(offset + bytes) : 0, strip = offset + bytes } = options;
  checkInteger("adjustment", adjustment, -(2 ** 31), 2 ** 31);
  checkInteger("strip", strip, 0, 4096);

  const layout: Layout = { bytes, endian, offset, adjustment, strip };
  const most = mostMessageBytes(layout);
  if (most < 0) {
    throw new TypeError(
      `Cannot use strip ${strip} together with adjustment ${adjustment}: ` +
        `the longest frame is shorter than what is stripped`,
    );
  }
  const { maxMessageBytes = Math.min(DEFAULT_MAX_MESSAGE_BYTES, most) } = options;
  checkLimit(maxMessageBytes);
  if (maxMessageBytes > most) {
    throw new RangeError(
      `Cannot use maxMessageBytes ${maxMessageBytes} together with bytes ${bytes}: ` +
        `the prefix can say at most ${most}`,
    );
  }
  return framingOf(layout, maxMessageBytes);
}

function framingOf(layout: Layout, maxMessageBytes: number): Framing {
  const { bytes, offset, adjustment, strip } = layout;
  const isPlain = offset === 0 && adjustment === 0 && strip === bytes;
  return isPlain
    ? new PlainPrefixFraming(layout, maxMessageBytes)
    : new LengthPrefixFraming(layout, maxMessageBytes);
}

/** The size of the largest message whose length fits in the prefix. */
function mostMessageBytes({ bytes, offset, adjustment, strip }: Layout): number {
  const maxLength = bytes === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * bytes) - 1;
  return Math.min(Number.MAX_SAFE_INTEGER, maxLength + adjustment + offset + bytes - strip);
}

class LengthPrefixFraming implements Framing {
  readonly name: string;
  readonly maxMessageBytes: number;
  readonly keepsBoundaries = true;
  readonly isSelective: boolean;
  readonly #layout: Layout;
  /** The size of the largest message whose length fits in the prefix. */
  protected readonly most: number;
  protected readonly write: (target: Uint8Array, at: number, length: number) => void;

  constructor(layout: Layout, maxMessageBytes: number) {
    this.#layout = layout;
    const { bytes, offset, adjustment, strip } = layout;
    this.most = mostMessageBytes(layout);
    this.write = WRITERS[integerName(layout)];
    this.name = framingName(layout);
    // Where a message contains the header, it must be that long, and comes out changed.
    this.isSelective = strip < offset + bytes || strip < offset + bytes + adjustment;
    this.maxMessageBytes = maxMessageBytes;
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), this.most);
    return framingOf(this.#layout, limit);
  }

  decoder(memory?: Memory): Decoder {
    return new LengthPrefixDecoder(this.#layout, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    if (message.length > this.most) {
      throw new MessageTooLargeError("send", message.length, this.most, `framing ${this.name}`);
    }
    const { bytes, offset, adjustment, strip } = this.#layout;
    const total = strip + message.length;
    if (total < offset + bytes || total - offset - bytes < adjustment) {
      throw new InvalidMessageError(
        `Cannot send message of ${message.length} bytes: it is shorter than the header that ` +
          `framing ${this.name} expects in it`,
      );
    }
    return total;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const { bytes, offset, adjustment, strip } = this.#layout;
    const total = strip + message.length;
    if (offset > 0 || strip !== bytes) target.fill(0, at, at + strip);
    target.set(message, at + strip);
    this.write(target, at + offset, total - offset - bytes - adjustment);
    return at + total;
  }

  encodeParts(message: Uint8Array): Uint8Array[] {
    const header = this.encodeHeader(message);
    return header === undefined ? [this.encode(message)] : [header, message];
  }

  encodeHeader(message: Uint8Array): Uint8Array | undefined {
    const { bytes, offset, adjustment, strip } = this.#layout;
    if (strip < offset + bytes) return undefined;
    const header = new Uint8Array(strip);
    this.write(header, offset, this.frameBytes(message) - offset - bytes - adjustment);
    return header;
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }
}

/**
 * A frame that is exactly length and message. These two functions run for each message that is sent: they
 * are as short as they can be, so that the compiler puts all of `send()` into one piece.
 */
class PlainPrefixFraming extends LengthPrefixFraming {
  readonly #headerBytes: number;

  constructor(layout: Layout, maxMessageBytes: number) {
    super(layout, maxMessageBytes);
    this.#headerBytes = layout.bytes;
  }

  override frameBytes(message: Uint8Array): number {
    return message.length > this.most
      ? super.frameBytes(message)
      : this.#headerBytes + message.length;
  }

  override encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const start = at + this.#headerBytes;
    target.set(message, start);
    this.write(target, at, message.length);
    return start + message.length;
  }
}

function framingName(layout: Layout): string {
  const { bytes, offset, adjustment, strip } = layout;
  const endian = bytes === 1 ? "big" : layout.endian; // One byte has no order.
  const isPlain = offset === 0 && adjustment === 0 && strip === bytes;
  const plain = integerName({ bytes, endian });
  if (isPlain && FRAMING_NAMES.includes(plain as FramingName)) return plain;
  return canonical("length", {
    bytes: bytes === 4 ? undefined : bytes,
    endian: endian === "big" ? undefined : endian,
    offset: offset === 0 ? undefined : offset,
    adjustment: adjustment === 0 ? undefined : adjustment,
    strip: strip === offset + bytes ? undefined : strip,
  });
}
