import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import { slip } from "../../codec/slip.ts";
import {
  allocatedBytes,
  byteByByte,
  decodeAll,
  everyTwoCuts,
  hex,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";
import { assertRefused } from "../support/refusals.ts";

const MESSAGES = [
  [hex("48454c4c4f"), hex("48454c4c4f c0")],
  [hex("c0"), hex("dbdc c0")],
  [hex("db"), hex("dbdd c0")],
  [hex("00 c0 db dc dd ff"), hex("00 dbdc dbdd dc dd ff c0")],
  [hex("dbdcdbddc0c0"), hex("dbdddcdbdddddbdcdbdc c0")],
] as const;

Deno.test("slip() escapes END and ESC, and gives them back at every cut", () => {
  for (const [message, frame] of MESSAGES) {
    assertEquals(slip().encode(message), frame);
    assertEquals(slip().frameBytes(message), frame.length);
    for (const chunks of [...everyTwoCuts(frame), byteByByte(frame)]) {
      assertEquals(decodeAll(slip(), chunks), [message]);
    }
  }
});

Deno.test("slip() can carry every byte", () => {
  const all = Uint8Array.from({ length: 512 }, (_, at) => at);
  assertEquals(decodeAll(slip(), byteByByte(slip().encode(all))), [all]);
});

Deno.test("slip() drops empty frames, and can send END first", () => {
  const stream = hex("c0c0 6869 c0c0c0 c0 68 c0");
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(slip(), chunks)), ["hi", "h"]);
  }
  const noisy = slip({ leadingEnd: true });
  assertEquals(noisy.encode(utf8("hi")), hex("c0 6869 c0"));
  assertEquals(noisy.frameBytes(utf8("hi")), 4);
  assertEquals(texts(decodeAll(noisy, [hex("c0 6869 c0"), hex("c0 6869 c0")])), ["hi", "hi"]);
  const error = assertThrows(() => slip().frameBytes(hex("")), InvalidMessageError);
  assertEquals(error.message, "Cannot send message of 0 bytes: SLIP has no empty messages");
});

Deno.test("slip() leaves the chunk as it is, and copies only messages with escapes, once", () => {
  const bytes = "01dbdc02 c0 03dbdd c0 0405 c0";
  const chunk = hex(bytes);
  let messages: Uint8Array[] = [];
  const allocated = allocatedBytes(() => messages = slip().decoder().decode(chunk));
  assertEquals(messages, [hex("01c002"), hex("03db"), hex("0405")]);
  assertEquals(chunk, hex(bytes));
  assertStrictEquals(messages[2].buffer, chunk.buffer);
  assertEquals(allocated, 3 + 2);
});

Deno.test("slip() refuses an escape of any other byte, and says where", () => {
  for (const byte of ["00", "c0", "db", "de"]) {
    const words = `Cannot receive message: it has 0x${byte} at byte 5, ` +
      `where 0xdc or 0xdd, behind 0xdb, must be`;
    assertRefused(slip(), hex(`01c0 0102db${byte}03c0`), InvalidMessageError, words, 1);
  }
});

Deno.test("slip() ends with an error inside of a frame", () => {
  for (const [stream, missing] of [["6869", 1], ["6869db", 2]] as const) {
    const { messages, error } = outcomeOf(slip().decoder(), [hex(`01c0${stream}`)]);
    assertEquals(messages, [hex("01")]);
    assert(error instanceof TruncatedMessageError);
    assertEquals([error.received, error.missing], [stream.length / 2, missing]);
  }
});

Deno.test("slip() counts the bytes of the message for the limit, not those of the frame", () => {
  const limited = slip({ maxMessageBytes: 5 });
  const right = hex("dbdcdbdddbdcdbdddbdc c0 0102030405 c0");
  for (const chunks of [...everyTwoCuts(right), byteByByte(right)]) {
    assertEquals(decodeAll(limited, chunks), [hex("c0dbc0dbc0"), hex("0102030405")]);
  }
  for (const digits of ["010203040506c0", "dbdcdbdddbdcdbdddbdcdbdcc0", "01".repeat(1000)]) {
    const stream = hex(digits);
    for (const chunks of [[stream.slice()], byteByByte(stream)]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError);
      assertEquals([error.size, error.limit], [6, 5]);
    }
  }
});
