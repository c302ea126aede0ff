import { assert, assertEquals } from "@std/assert";
import { InvalidLengthError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import { gobUvarint } from "../../codec/gob_uvarint.ts";
import { byteByByte, cutAt, decodeAll, everyCut, hex, outcomeOf, texts } from "../support/bytes.ts";
import { assertRefused } from "../support/refusals.ts";

Deno.test("gobUvarint() writes the lengths as encoding/gob does", () => {
  for (
    const [bytes, header] of [
      [0, "00"],
      [7, "07"],
      [127, "7f"],
      [128, "ff80"],
      [255, "ffff"],
      [256, "fe0100"],
      [65_535, "feffff"],
      [65_536, "fd010000"],
    ] as const
  ) {
    const message = new Uint8Array(bytes).fill(0x61);
    const frame = gobUvarint().encode(message);
    assertEquals(frame.subarray(0, header.length / 2), hex(header));
    assertEquals(gobUvarint().frameBytes(message), frame.length);
    assertEquals(gobUvarint().encodeHeader!(message), hex(header));
    for (const chunks of [[frame], cutAt(frame, 1, 2, 3)]) {
      assertEquals(decodeAll(gobUvarint(), chunks), [message]);
    }
  }
});

Deno.test("gobUvarint() reads what encoding/gob wrote", () => {
  // A type definition, then a value of struct { X, Y int }, from the package's documentation.
  const stream = hex(`
    1f ff81 03 01 01 05 506f696e74 01 ff82 00 01 02 01 01 58 01 04 00 01 01 59 01 04 00 00 00
    07 ff82 01 2c 01 42 00
  `);
  for (const chunks of [...everyCut(stream), byteByByte(stream)]) {
    const messages = decodeAll(gobUvarint(), chunks);
    assertEquals(messages.map((message) => message.length), [31, 7]);
    assertEquals(messages[1], hex("ff82012c014200"));
  }
});

Deno.test("gobUvarint() takes longer forms of a length, up to 8 bytes", () => {
  for (const header of ["02", "ff02", "fe0002", "f8 0000000000000002"]) {
    const frame = hex(`${header} 6869`);
    for (const chunks of [...everyCut(frame), byteByByte(frame)]) {
      assertEquals(texts(decodeAll(gobUvarint(), chunks)), ["hi"]);
    }
  }
});

Deno.test("gobUvarint() refuses lengths that are too wide or too large, from the header alone", () => {
  for (const [first, bytes] of [["f7", 9], ["80", 128]] as const) {
    const words = `Cannot receive message: its length at byte 2 has ${bytes} bytes: ` +
      `limit is 8 bytes`;
    assertRefused(gobUvarint(), hex(`01 61 ${first}`), InvalidLengthError, words, 1);
  }
  for (
    const [header, size] of [
      ["fc 01000001", 16_777_217],
      ["f8 ffffffffffffffff", 2 ** 64],
    ] as const
  ) {
    for (const chunks of [...everyCut(hex(header)), byteByByte(hex(header))]) {
      const { error } = outcomeOf(gobUvarint().decoder(), chunks);
      assert(error instanceof MessageTooLargeError);
      assertEquals([error.size, error.limit], [size, 16_777_216]);
    }
  }
});

Deno.test("gobUvarint() says what is missing at the end", () => {
  for (const [stream, missing] of [["fe01", 1], ["ff", 1], ["05 6869", 3]] as const) {
    const { error } = outcomeOf(gobUvarint().decoder(), [hex(stream)]);
    assert(error instanceof TruncatedMessageError);
    assertEquals(error.missing, missing);
  }
});
