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
 * gobUvarint                                a byte below 128, or the negated number of bytes; 256 bytes:
 *   | fe 01 00 | … 256 bytes |
 * slip                                      up to c0; c0 and db are escaped
 *   | HELLO | c0 |
 * cobs                                      up to 00; the first byte tells where the next 00 was
 *   | 06 | HELLO | 00 |
 * jsonStream                                a JSON value; there may be white space between two
 *   | "HELLO" | 0a |
 * jsonSequence                              a JSON text between a record separator and LF
 *   | 1e | "HELLO" | 0a |
 * berTlv                                    tag, length and contents are the message
 *   | 04 05 HELLO |
 * resp2, resp3                              a whole command or reply is the message
 *   | $5 CRLF HELLO CRLF |
 *
 * lengthPrefix({ includesHeader: true })    the length counts itself
 *   | 00 00 00 09 | HELLO |
 * lengthPrefix({ bytes: 2, offset: 1 })     a byte before the length, dropped on the way in
 *   | 00 | 00 05 | HELLO |
 * lengthPrefix({ bytes: 2, offset: 1, strip: 0 })
 *   | ca | 00 05 | HELLO |                  the same frame, handed over whole: ca 00 05 HELLO
 * lengthPrefix({ bytes: 2, adjustment: 1, strip: 2 })
 *   | 00 05 | fe | HELLO |                  a byte after the length that it does not count: fe HELLO
 *
 * netstring()                               | 5 : | HELLO | , |
 * delimiter("\r\n")                         | HELLO | 0d 0a |
 * fixed(5)                                  | HELLO |
 * and others: docs/framings.md has them all
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

export { Batch } from "./codec/batch.ts";
export type { Decoder, EndInfo, Framing, FramingOptions } from "./codec/framing.ts";
export type { Memory } from "./internal/memory.ts";
export { berTlv } from "./codec/ber_tlv.ts";
export { cobs } from "./codec/cobs.ts";
export { gobUvarint } from "./codec/gob_uvarint.ts";
export { jsonSequence } from "./codec/json_sequence.ts";
export { jsonStream } from "./codec/json_stream.ts";
export { contentLength, type ContentLengthOptions } from "./codec/content_length.ts";
export { delimiter, type DelimiterOptions } from "./codec/delimiter.ts";
export { fcgi, type FcgiOptions } from "./codec/fcgi.ts";
export { fixed } from "./codec/fixed.ts";
export { lengthPrefix, type LengthPrefixOptions } from "./codec/length_prefix.ts";
export { duplex, type DuplexOptions } from "./codec/duplex.ts";
export { line, type LineOptions } from "./codec/line.ts";
export { mllp } from "./codec/mllp.ts";
export {
  FRAMING_KINDS,
  FRAMING_NAMES,
  type FramingKind,
  type FramingName,
  type FramingText,
} from "./codec/names.ts";
export { netstring } from "./codec/netstring.ts";
export type { PresetName } from "./codec/presets/names.ts";
export { none } from "./codec/none.ts";
export { octetCounted, type OctetCountedOptions } from "./codec/octet_counted.ts";
export { framing } from "./codec/parse.ts";
export { resp2, resp3, type RespOptions } from "./codec/resp.ts";
export type { NestedOptions } from "./codec/scanned.ts";
export { slip, type SlipOptions } from "./codec/slip.ts";
export { recordMarking, type RecordMarkingOptions } from "./codec/record_marking.ts";
export { staged, type StagedOptions } from "./codec/staged.ts";
export { tpkt, type TpktOptions } from "./codec/tpkt.ts";
export { varint, type VarintOptions } from "./codec/varint.ts";
export * from "./codec/presets.ts";
export { decode, decodeBatches, DecoderStream, EncoderStream } from "./codec/streams.ts";
export {
  FramingTextError,
  InvalidLengthError,
  InvalidMessageError,
  LengthwiseError,
  MessageTooLargeError,
  ProtocolError,
  TruncatedMessageError,
} from "./errors.ts";
