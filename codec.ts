/**
 * Framings: rules that turn messages into bytes of a stream, and those bytes into messages again.
 * They use no socket, no clock and no `Deno`, so they run wherever JavaScript runs.
 *
 * ```text
 * u32be (the default)                       message "HELLO", 5 bytes
 *   +-------------+-------------+
 *   | 00 00 00 05 | 48 45 4c 4c 4f |
 *   +-------------+-------------+
 * u32le                                     the same, least significant byte first
 *   | 05 00 00 00 | HELLO |
 * u8, u16be, u16le, u24be, u64be            narrower and wider
 *   | 05 | HELLO |
 * varint                                    7 bits a byte, least significant first; 300 bytes:
 *   | ac 02 | … 300 bytes |
 * line                                      up to LF or CRLF
 *   | HELLO | 0a |
 * none                                      chunks as they came, no boundaries
 *   | HELLO |
 *
 * lengthPrefix({ includesHeader: true })    the length counts itself
 *   | 00 00 00 09 | HELLO |
 * lengthPrefix({ bytes: 2, offset: 1 })     a byte before the length, dropped on the way in
 *   | 00 | 00 05 | HELLO |
 * lengthPrefix({ bytes: 2, offset: 1, strip: 0 })
 *   | ca | 00 05 | HELLO |                  the same frame, handed over whole: ca 00 05 HELLO
 * lengthPrefix({ bytes: 2, adjustment: 1, strip: 2 })
 *   | 00 05 | fe | HELLO |                  a byte after the length that it does not count: fe HELLO
 * ```
 *
 * @example Messages in, bytes out, messages again
 * ```ts
 * import { framing } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const u16 = framing("u16be");
 * const frame = u16.encode(new TextEncoder().encode("hi"));
 * assertEquals(frame, new Uint8Array([0, 2, 104, 105]));
 *
 * const decoder = u16.decoder();
 * assertEquals(decoder.decode(frame.subarray(0, 3)), []); // not whole yet
 * assertEquals(decoder.decode(frame.subarray(3)).length, 1);
 * decoder.end(); // throws TruncatedMessageError inside a message
 * ```
 *
 * @module
 */

import type { Framing, FramingOptions } from "./codec/framing.ts";
import { lengthPrefix } from "./codec/length_prefix.ts";
import { line } from "./codec/line.ts";
import { none } from "./codec/none.ts";
import { varint } from "./codec/varint.ts";

export type { Decoder, EndInfo, Framing, FramingOptions } from "./codec/framing.ts";
export type { Memory } from "./internal/memory.ts";
export { lengthPrefix, type LengthPrefixOptions } from "./codec/length_prefix.ts";
export { line, type LineOptions } from "./codec/line.ts";
export { none } from "./codec/none.ts";
export { varint } from "./codec/varint.ts";
export * from "./codec/presets.ts";
export { decode, decodeBatches, DecoderStream, EncoderStream } from "./codec/streams.ts";
export {
  InvalidLengthError,
  InvalidMessageError,
  LengthwiseError,
  MessageTooLargeError,
  ProtocolError,
  TruncatedMessageError,
} from "./errors.ts";

const FRAMINGS = {
  u8: (options) => lengthPrefix({ ...options, bytes: 1 }),
  u16be: (options) => lengthPrefix({ ...options, bytes: 2 }),
  u16le: (options) => lengthPrefix({ ...options, bytes: 2, endian: "little" }),
  u24be: (options) => lengthPrefix({ ...options, bytes: 3 }),
  u32be: (options) => lengthPrefix(options),
  u32le: (options) => lengthPrefix({ ...options, endian: "little" }),
  u64be: (options) => lengthPrefix({ ...options, bytes: 8 }),
  varint,
  line,
  none,
} satisfies Record<string, (options?: FramingOptions) => Framing>;

/** The names that {@linkcode framing}, endpoints and the command line accept. */
export type FramingName =
  | "u8"
  | "u16be"
  | "u16le"
  | "u24be"
  | "u32be"
  | "u32le"
  | "u64be"
  | "varint"
  | "line"
  | "none";

/** All framing names, in the order of the documentation. */
export const FRAMING_NAMES: readonly FramingName[] = Object.keys(FRAMINGS) as FramingName[];

/**
 * Returns the framing with this name.
 *
 * @throws {TypeError} for a name that does not exist.
 * @throws {RangeError} for a limit out of range.
 */
export function framing(name: FramingName, options: FramingOptions = {}): Framing {
  if (!Object.hasOwn(FRAMINGS, name)) {
    throw new TypeError(
      `Cannot use framing "${name}": it must be one of ${FRAMING_NAMES.join(", ")}`,
    );
  }
  return FRAMINGS[name](options);
}
