/** Framing by a length of fixed width. */

import { InvalidLengthError, InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  encodeWhole,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { hint } from "./hint.ts";
import { canonical, FRAMING_NAMES, type FramingName } from "./names.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";
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

type Layout = Required<Omit<LengthPrefixOptions, "includesHeader" | "maxMessageBytes">>;

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
  return new LengthPrefixFraming(layout, maxMessageBytes);
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
  /** The width of the length, if the frame is exactly length and message; otherwise 0. */
  readonly #plainBytes: number;
  readonly #most: number;
  readonly #write: (target: Uint8Array, at: number, length: number) => void;

  constructor(layout: Layout, maxMessageBytes: number) {
    this.#layout = layout;
    const { bytes, offset, adjustment, strip } = layout;
    this.#plainBytes = offset === 0 && adjustment === 0 && strip === bytes ? bytes : 0;
    this.#most = mostMessageBytes(layout);
    this.#write = WRITERS[prefixName(layout)];
    this.name = framingName(layout);
    // Where a message contains the header, it must be that long, and comes out changed.
    this.isSelective = strip < offset + bytes || strip < offset + bytes + adjustment;
    this.maxMessageBytes = maxMessageBytes;
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), this.#most);
    return new LengthPrefixFraming(this.#layout, limit);
  }

  decoder(memory?: Memory): Decoder {
    return new LengthPrefixDecoder(this.#layout, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    if (message.length > this.#most) {
      throw new MessageTooLargeError("send", message.length, this.#most, `framing ${this.name}`);
    }
    if (this.#plainBytes > 0) return this.#plainBytes + message.length;
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
    if (this.#plainBytes > 0) {
      target.set(message, at + this.#plainBytes);
      this.#write(target, at, message.length);
      return at + this.#plainBytes + message.length;
    }
    const { bytes, offset, adjustment, strip } = this.#layout;
    const total = strip + message.length;
    if (offset > 0 || strip !== bytes) target.fill(0, at, at + strip);
    target.set(message, at + strip);
    this.#write(target, at + offset, total - offset - bytes - adjustment);
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
    this.#write(header, offset, this.frameBytes(message) - offset - bytes - adjustment);
    return header;
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }
}

class LengthPrefixDecoder extends PrefixDecoder {
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
    this.#read = READERS[prefixName(layout)];
    this.#swapped = READERS[prefixName({ bytes, endian: endian === "big" ? "little" : "big" })];
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

function prefixName({ bytes, endian }: Pick<Layout, "bytes" | "endian">): string {
  return bytes === 1 ? "u8" : `u${8 * bytes}${endian === "big" ? "be" : "le"}`;
}

function framingName(layout: Layout): string {
  const { bytes, offset, adjustment, strip } = layout;
  const endian = bytes === 1 ? "big" : layout.endian; // One byte has no order.
  const isPlain = offset === 0 && adjustment === 0 && strip === bytes;
  const plain = prefixName({ bytes, endian });
  if (isPlain && FRAMING_NAMES.includes(plain as FramingName)) return plain;
  return canonical("length", {
    bytes: bytes === 4 ? undefined : bytes,
    endian: endian === "big" ? undefined : endian,
    offset: offset === 0 ? undefined : offset,
    adjustment: adjustment === 0 ? undefined : adjustment,
    strip: strip === offset + bytes ? undefined : strip,
  });
}

const READERS: Record<string, (c: Uint8Array, at: number) => number> = {
  u8: (c, at) => c[at],
  u16be: (c, at) => c[at] << 8 | c[at + 1],
  u16le: (c, at) => c[at + 1] << 8 | c[at],
  u24be: (c, at) => c[at] << 16 | c[at + 1] << 8 | c[at + 2],
  u24le: (c, at) => c[at + 2] << 16 | c[at + 1] << 8 | c[at],
  u32be: (c, at) => (c[at] << 24 | c[at + 1] << 16 | c[at + 2] << 8 | c[at + 3]) >>> 0,
  u32le: (c, at) => (c[at + 3] << 24 | c[at + 2] << 16 | c[at + 1] << 8 | c[at]) >>> 0,
  u64be: (c, at) => READERS.u32be(c, at) * 2 ** 32 + READERS.u32be(c, at + 4),
  u64le: (c, at) => READERS.u32le(c, at + 4) * 2 ** 32 + READERS.u32le(c, at),
};

const WRITERS: Record<string, (t: Uint8Array, at: number, n: number) => void> = {
  u8: (t, at, n) => {
    t[at] = n;
  },
  u16be: (t, at, n) => {
    t[at] = n >>> 8;
    t[at + 1] = n;
  },
  u16le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
  },
  u24be: (t, at, n) => {
    t[at] = n >>> 16;
    t[at + 1] = n >>> 8;
    t[at + 2] = n;
  },
  u24le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
    t[at + 2] = n >>> 16;
  },
  u32be: (t, at, n) => {
    t[at] = n >>> 24;
    t[at + 1] = n >>> 16;
    t[at + 2] = n >>> 8;
    t[at + 3] = n;
  },
  u32le: (t, at, n) => {
    t[at] = n;
    t[at + 1] = n >>> 8;
    t[at + 2] = n >>> 16;
    t[at + 3] = n >>> 24;
  },
  u64be: (t, at, n) => {
    WRITERS.u32be(t, at, Math.floor(n / 2 ** 32));
    WRITERS.u32be(t, at + 4, n >>> 0);
  },
  u64le: (t, at, n) => {
    WRITERS.u32le(t, at, n >>> 0);
    WRITERS.u32le(t, at + 4, Math.floor(n / 2 ** 32));
  },
};
