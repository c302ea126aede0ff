/** What only the framings of one program have: which frames they refuse, and which messages. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  amqp091Frame,
  bgp,
  bson,
  capnp,
  chromeNative,
  dbusMessage,
  diameter,
  dotnetString,
  type Framing,
  framing,
  type FramingText,
  grpcMessage,
  InvalidLengthError,
  InvalidMessageError,
  javaUtf,
  journalExport,
  MessageTooLargeError,
  minecraft,
  mqtt,
  mysql,
  postgresMessage,
  postgresStartup,
  pythonConnection,
  QT_NULL,
  qtByteArray,
  qtString,
  sshAgent,
  TruncatedMessageError,
  x11Event,
  x11Request,
  x11Setup,
  x11SetupReply,
  zookeeper,
} from "../../codec.ts";
import {
  byteByByte,
  decodeAll,
  everyTwoCuts,
  hex,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";

type ErrorClass = typeof InvalidLengthError | typeof MessageTooLargeError;

/** Frames that are refused. */
const REFUSED: readonly [Framing, frame: string, ErrorClass, message: string][] = [
  [pythonConnection(), "fffffffe", InvalidLengthError, "length -2 is negative"],
  [pythonConnection(), "80000000", InvalidLengthError, "length -2147483648 is negative"],
  [pythonConnection(), "ffffffff 0000000001000001", MessageTooLargeError, "of 16777217 bytes"],
  [pythonConnection(), "ffffffff ffffffffffffffff", MessageTooLargeError, "limit is 16777216"],
  [qtByteArray(), "fffffffe 0000000100000000", InvalidLengthError, "its length has 8 bytes"],
  [qtByteArray(), "fffffffd", MessageTooLargeError, "of 4294967293 bytes"],
  [qtString(), "00000003 006100", InvalidLengthError, "length 3 is odd"],
  [qtString(), "00000004 0061d83d", InvalidMessageError, "unit 1 is half of a character"],
  [qtString(), "00000004 de000061", InvalidMessageError, "unit 0 is half of a character"],
  [javaUtf(), "0002 61c0", InvalidMessageError, "byte 192 at offset 1"],
  [javaUtf(), "0001 80", InvalidMessageError, "byte 128 at offset 0"],
  [javaUtf(), "0004 f09f9880", InvalidMessageError, "byte 240 at offset 0"],
  [javaUtf(), "0003 eda0bd", InvalidMessageError, "unit 0 is half of a character"],
  [minecraft(), "ffff80 01", InvalidLengthError, "longer than 3 bytes"],
  [minecraft(), "80808000", InvalidLengthError, "longer than 3 bytes"],
  [mqtt(), "30 8080808001", InvalidLengthError, "more than 4 bytes"],
  [mqtt(), "30 ffffff7f", MessageTooLargeError, "of 268435460 bytes"],
  [grpcMessage(), "01 0000000161", InvalidMessageError, "its flag is 1"],
  [grpcMessage(), "80 0000000161", InvalidMessageError, "its flag is 128"],
  [grpcMessage(), "00 00400001", MessageTooLargeError, "limit is 4194304"],
  [bson(), "04000000", InvalidMessageError, "shorter than 5 bytes"],
  [bson(), "03000000", InvalidLengthError, "length 3 is too small"],
  [bson(), "06000000 0001", InvalidMessageError, "ends with byte 1 and not with 0"],
  [bson(), "ffffffff", MessageTooLargeError, "of 4294967295 bytes"],
  [bgp(), `00${"ff".repeat(15)} 0013 04`, InvalidMessageError, "byte 0 of its marker is 0"],
  [bgp(), `${"ff".repeat(16)} 0011 04`, InvalidLengthError, "length 17 is too small"],
  [bgp(), `${"ff".repeat(16)} 1001 04`, MessageTooLargeError, "limit is 4096"],
  [diameter(), "02 000004", InvalidMessageError, "its version is 2"],
  [diameter(), "01 000003", InvalidLengthError, "length 3 is too small"],
  [amqp091Frame(), "01 0000 00000001 61 cd", InvalidMessageError, "ends with byte 205"],
  [amqp091Frame(), "01 0000 0001fff9", MessageTooLargeError, "limit is 131072"],
  [capnp(), "ff010000 00000000", InvalidLengthError, "it has 512 segments"],
  [capnp(), "ffffffff 00000000", InvalidLengthError, "it has 4294967296 segments"],
  [capnp(), "00000000 ffffffff", MessageTooLargeError, "limit is 67108864"],
  [dbusMessage(), "78000001".padEnd(32, "0"), InvalidMessageError, "its first byte is 120"],
  [dbusMessage(), `6c000001 00000008 ${"0".repeat(16)}`, MessageTooLargeError, "134217744"],
  [x11Request(), "10000000 01000000", InvalidLengthError, "its length is 1 words"],
  [postgresMessage(), "51 00000003", InvalidLengthError, "length 3 is too small"],
  [postgresMessage(), "51 ffffffff", MessageTooLargeError, "limit is 16777216"],
  [postgresStartup(), "00002715", MessageTooLargeError, "limit is 10004"],
  [mysql().withLimit(10), "070000 00", MessageTooLargeError, "of 11 bytes"],
  [sshAgent(), "00040001", MessageTooLargeError, "limit is 262144"],
  [zookeeper(), "00100000", MessageTooLargeError, "limit is 1048575"],
  [zookeeper(), hex("73727672").toHex(), MessageTooLargeError, 'it looks like text, "srvr"'],
  [dotnetString(), "ffffffff7f", MessageTooLargeError, "limit is 16777216"],
  [journalExport(), "410a 0100000000000000 61 62", InvalidMessageError, "byte 98 follows a value"],
  [journalExport(), "410a 0000000001000000", MessageTooLargeError, "limit is 16777216"],
];

for (const [framing, frame, error, message] of REFUSED) {
  Deno.test(`${framing.name} refuses ${frame.slice(0, 40)}, however it is cut`, () => {
    for (const chunks of [[hex(frame)], byteByByte(hex(frame))]) {
      const seen = outcomeOf(framing.decoder(), chunks);
      assertEquals(seen.messages, []);
      assert(seen.error instanceof error, String(seen.error));
      assert(seen.error.message.includes(message), seen.error.message);
    }
  });
}

/** Messages that are not sent. */
const UNSENT: readonly [Framing, message: Uint8Array, ErrorClass, reason: string][] = [
  [qtString(), hex("ff"), InvalidMessageError, "it is not UTF-8"],
  [javaUtf(), hex("6180"), InvalidMessageError, "it is not UTF-8"],
  [javaUtf(), new Uint8Array(32_768), MessageTooLargeError, "of 65536 bytes: limit is 65535"],
  [minecraft(), new Uint8Array(2 ** 21), MessageTooLargeError, "limit is 2097151"],
  [mqtt(), hex(""), InvalidMessageError, "its header is not whole"],
  [mqtt(), hex("c0"), InvalidMessageError, "its header is not whole"],
  [mqtt(), hex("c0 01"), InvalidMessageError, "its header tells 3 bytes"],
  [bson(), hex("05000000 01"), InvalidMessageError, "ends with byte 1"],
  [bgp(), new Uint8Array(19), InvalidMessageError, "byte 0 of its marker"],
  [diameter(), new Uint8Array(20), InvalidMessageError, "its version is 0"],
  [amqp091Frame(), new Uint8Array(8), InvalidMessageError, "ends with byte 0"],
  [capnp(), hex("00000000 01000000"), InvalidMessageError, "its header tells 16 bytes"],
  [dbusMessage(), hex("6c"), InvalidMessageError, "its header is not whole"],
  [chromeNative(), new Uint8Array(2 ** 20 + 1), MessageTooLargeError, "limit is 1048576"],
  [journalExport(), hex(""), InvalidMessageError, "it has no field"],
  [journalExport(), utf8("A=1"), InvalidMessageError, "its last field is not whole"],
  [journalExport(), utf8("A=1\n\nB=2\n"), InvalidMessageError, "its line at byte 4 is empty"],
];

for (const [framing, message, error, reason] of UNSENT) {
  const shown = message.subarray(0, 12).toHex();
  Deno.test(`${framing.name} does not send ${message.length} bytes, ${shown}`, () => {
    assertThrows(() => framing.encode(message), error, reason);
    assertThrows(() => framing.frameBytes(message), error, reason);
    assertThrows(() => framing.encodeParts(message), error, reason);
  });
}

Deno.test("pythonConnection() takes the long form of any length", () => {
  const frame = hex("ffffffff 0000000000000005 48454c4c4f");
  for (const chunks of [...everyTwoCuts(frame), byteByByte(frame)]) {
    assertEquals(texts(decodeAll(pythonConnection(), chunks)), ["HELLO"]);
  }
});

Deno.test("qtByteArray() and qtString() tell null from empty, both ways", () => {
  for (const framing of [qtByteArray(), qtString()]) {
    const stream = concat([
      framing.encode(QT_NULL),
      framing.encode(hex("")),
      framing.encode(QT_NULL),
    ]);
    assertEquals(stream, hex("ffffffff 00000000 ffffffff"));
    for (const chunks of everyTwoCuts(stream)) {
      const [first, second, third] = decodeAll(framing, chunks);
      assertStrictEquals(first, QT_NULL);
      assert(second !== QT_NULL && second.length === 0);
      assertStrictEquals(third, QT_NULL);
    }
  }
});

Deno.test("journalExport() skips empty lines between entries", () => {
  const stream = utf8("\n\nA=1\nB=2\n\n\n\nC=3\n\n\n");
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(journalExport(), chunks)), ["A=1\nB=2\n", "C=3\n"]);
  }
});

Deno.test("journalExport() finds no end inside of a value with a length", () => {
  const entry = concat([utf8("A\n"), hex("0400000000000000"), utf8("\n\n\n\n\nB=\n")]);
  const stream = concat([entry, utf8("\n")]);
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(decodeAll(journalExport(), chunks), [entry]);
  }
  assertEquals(journalExport().encode(entry), stream);
  const cut = assertThrows(
    () => decodeAll(journalExport(), [entry.subarray(0, 11)]),
    TruncatedMessageError,
  );
  assertEquals([cut.received, cut.missing], [11, 4]);
});

Deno.test("dbusMessage() reads the byte order of each message", () => {
  const little = hex("6c010001 03000000 01000000 05000000 0102030405 000000 616263");
  const big = hex("42010001 00000003 00000001 00000005 0102030405 000000 616263");
  const stream = concat([little, big]);
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(decodeAll(dbusMessage(), chunks), [little, big]);
  }
});

Deno.test("x11Request() and x11Event() read both widths of a length, in both byte orders", () => {
  for (const endian of ["little", "big"] as const) {
    const order = (digits: string) => endian === "big" ? digits : hex(digits).toReversed().toHex();
    const short = hex(`1000${order("0002")} 61626364`);
    const long = hex(`1000${order("0000")}${order("00000003")} 61626364`);
    const event = hex(`02${"00".repeat(31)}`);
    const answer = hex(`01000000${order("00000001")}${"00".repeat(24)} 61626364`);
    const generic = hex(`a3000000${order("00000001")}${"00".repeat(24)} 61626364`);
    for (
      const [framing, messages] of [
        [x11Request({ endian }), [short, long, short]],
        [x11Event({ endian }), [event, answer, generic, event]],
      ] as const
    ) {
      for (const chunks of [[concat(messages)], byteByByte(concat(messages))]) {
        assertEquals(decodeAll(framing, chunks), [...messages]);
      }
    }
    const order2 = endian === "big" ? "42" : "6c";
    const setup = hex(
      `${order2}00 ${order("000b")}${order("0000")}${order("0003")}${
        order("0005")
      }0000 61626300 0102030405000000`,
    );
    assertEquals(decodeAll(x11Setup({ endian }), byteByByte(setup)), [setup]);
    const reply = hex(`0100${order("000b")}${order("0000")}${order("0001")} 61626364`);
    assertEquals(decodeAll(x11SetupReply({ endian }), byteByByte(reply)), [reply]);
  }
  const wrong = { endian: "middle" as "big" };
  assertThrows(() => x11Event(wrong), TypeError, 'Cannot use endian "middle"');
});

Deno.test("The limit of a program holds, unless its framing gets another", () => {
  assertEquals(framing("zookeeper").withLimit(2 ** 24).maxMessageBytes, 1_048_575);
  assertEquals(zookeeper({ maxMessageBytes: 2 ** 22 }).maxMessageBytes, 2 ** 22);
  assertEquals(framing("zookeeper", { maxMessageBytes: 2 ** 22 }).maxMessageBytes, 2 ** 22);
  assertThrows(() => minecraft({ maxMessageBytes: 2 ** 21 }), RangeError, "at most 2097151");
  assertThrows(() => qtString({ maxMessageBytes: -1 }), RangeError, "maxMessageBytes -1");
  assertThrows(
    () => framing("chromeNative(side:left)" as FramingText),
    Error,
    "must be one of host, browser",
  );
  const side = "left" as "host";
  assertThrows(() => chromeNative({ side }), TypeError, 'Cannot use side "left"');
});

Deno.test("A message in UTF-16 that is too large in UTF-8 only is refused", () => {
  const limited = qtString().withLimit(5);
  assertThrows(
    () => decodeAll(limited, [hex("00000004 6f226f22")]),
    MessageTooLargeError,
    "as UTF-8",
  );
  assertThrows(() => decodeAll(limited, [hex("0000000c")]), MessageTooLargeError);
});
