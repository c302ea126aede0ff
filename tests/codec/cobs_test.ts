import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { InvalidLengthError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import { cobs } from "../../codec/cobs.ts";
import {
  allocatedBytes,
  byteByByte,
  cutAt,
  decodeAll,
  everyTwoCuts,
  hex,
  outcomeOf,
} from "../support/bytes.ts";
import { assertRefused } from "../support/refusals.ts";

const run = (from: number, bytes: number) =>
  Array.from(
    { length: bytes },
    (_, at) => ((from + at - 1) % 255 + 1).toString(16).padStart(2, "0"),
  )
    .join("");

/** Messages and their frames: those of the paper and of its usual retellings. */
const CASES: [message: string, frame: string][] = [
  ["", "01 00"],
  ["00", "01 01 00"],
  ["0000", "01 01 01 00"],
  ["001100", "01 02 11 01 00"],
  ["11220033", "03 11 22 02 33 00"],
  ["11223344", "05 11 22 33 44 00"],
  ["11000000", "02 11 01 01 01 00"],
  ["45000000002c4c79000040064f37", "02 45 01 01 01 04 2c 4c 79 01 05 40 06 4f 37 00"],
  [run(1, 253), `fe ${run(1, 253)} 00`],
  [run(1, 254), `ff ${run(1, 254)} 00`],
  [`00 ${run(1, 254)}`, `01 ff ${run(1, 254)} 00`],
  [run(1, 255), `ff ${run(1, 254)} 02 ff 00`],
  [`${run(1, 254)} 00`, `ff ${run(1, 254)} 01 01 00`],
  [`${run(2, 254)} 01`, `ff ${run(2, 254)} 02 01 00`],
  [`${run(3, 253)} 00 01`, `fe ${run(3, 253)} 02 01 00`],
  [`${run(1, 508)}`, `ff ${run(1, 254)} ff ${run(255, 254)} 00`],
];

Deno.test("cobs() encodes as the paper says, and gives the messages back", () => {
  for (const [message, frame] of CASES) {
    assertEquals(cobs().encode(hex(message)), hex(frame));
    assertEquals(cobs().frameBytes(hex(message)), hex(frame).length);
    for (const chunks of [[hex(frame)], byteByByte(hex(frame)), cutAt(hex(frame), 1, 2)]) {
      assertEquals(decodeAll(cobs(), chunks), [hex(message)]);
    }
  }
});

Deno.test("cobs() finds frames at every cut, and drops zeros between them", () => {
  const stream = hex("00 0311220233 00 00 01 00 010211 00 05aabbccdd 00");
  const expected = [hex("11220033"), hex(""), hex("0011"), hex("aabbccdd")];
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(decodeAll(cobs(), chunks), expected);
  }
});

Deno.test("cobs() takes an empty block behind a full one, as some encoders end", () => {
  assertEquals(decodeAll(cobs(), [hex(`ff ${run(1, 254)} 01 00`)]), [hex(run(1, 254))]);
});

Deno.test("cobs() leaves the chunk as it is, and copies messages with zeros, once", () => {
  const bytes = `0311220233 00 ff ${run(1, 254)} 03 0102 0205 00 0405 0607 00`;
  const chunk = hex(bytes);
  let messages: Uint8Array[] = [];
  const allocated = allocatedBytes(() => messages = cobs().decoder().decode(chunk));
  assertEquals(messages.map((message) => message.toHex()), [
    "11220033",
    `${run(1, 254)}01020005`,
    "050607",
  ]);
  assertEquals(chunk, hex(bytes));
  assertStrictEquals(messages[2].buffer, chunk.buffer);
  assertEquals(allocated, 4 + 259);
});

Deno.test("cobs() refuses a frame that ends inside of a block, and says where", () => {
  const words = "Cannot receive message: its frame ends at byte 6, " +
    "2 bytes before its block of 5 bytes does";
  assertRefused(cobs(), hex("0211 00 051122 00"), InvalidLengthError, words, 1);
  const second = "Cannot receive message: its frame ends at byte 4, " +
    "1 bytes before its block of 3 bytes does";
  assertRefused(cobs(), hex("0211 0311 00"), InvalidLengthError, second);
});

Deno.test("cobs() ends with an error inside of a frame", () => {
  for (const [stream, missing] of [["051122", 3], ["0211", 1], ["01", 1]] as const) {
    const { messages, error } = outcomeOf(cobs().decoder(), [hex(`0211 00 ${stream}`)]);
    assertEquals(messages, [hex("11")]);
    assert(error instanceof TruncatedMessageError);
    assertEquals([error.received, error.missing], [stream.length / 2, missing]);
  }
});

Deno.test("cobs() refuses a message above the limit as soon as a code says so", () => {
  const limited = cobs({ maxMessageBytes: 5 });
  const right = hex("061122334455 00 010101010101 00 031122 0333 44 00");
  for (const chunks of [...everyTwoCuts(right), byteByByte(right)]) {
    const lengths = decodeAll(limited, chunks).map((message) => message.length);
    assertEquals(lengths, [5, 5, 5]);
  }
  for (const digits of ["07", "010101010101 01", "031122 04", "07112233445566 00"]) {
    const stream = hex(digits);
    for (const chunks of [[stream.slice()], byteByByte(stream)]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError);
      assertEquals([error.size, error.limit], [6, 5]);
    }
  }
});
