/** What single framings take that is odd but right, and what makes none of them slow. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, equals } from "@std/bytes";
import fc from "fast-check";
import {
  contentLength,
  delimiter,
  fcgi,
  fixed,
  type Framing,
  mllp,
  netstring,
  octetCounted,
  ProtocolError,
  recordMarking,
  tpkt,
  TruncatedMessageError,
} from "../../codec.ts";
import {
  byteByByte,
  cutAt,
  decodeAll,
  everyTwoCuts,
  hex,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";

const MiB = 1024 * 1024;

/** A framing, a stream that is odd but right, and its messages. */
const TAKEN: [what: string, framing: Framing, stream: string, messages: string[]][] = [
  ["both newlines", delimiter(["\r\n", "\n"]), "a\r\nb\n\r\n\rc\n", ["a", "b", "", "\rc"]],
  ["the first end that is complete", delimiter(["ab", "b"]), "xabyb", ["x", "y"]],
  ["ends that overlap", delimiter("aa"), "xaaaaa".slice(0, 5), ["x", ""]],
  ["an end that begins anew inside itself", delimiter("aab"), "xaaabyab aab", ["xa", "yab "]],
  ["ends with other last bytes", delimiter(["\0", "--\n"]), "a\0b-\n--\nc\0", ["a", "b-\n", "c"]],
  ["an open end", delimiter("\0", { openEnd: true }), "a\0b", ["a", "b"]],
  ["ends that are kept", delimiter(["\r\n", "\n"], { keep: true }), "a\r\n\n", ["a\r\n", "\n"]],
  ["both kinds of syslog", octetCounted(), "3 a\nb<1>c\n\n\n2 \n\n<2>d", [
    "a\nb",
    "<1>c",
    "\n\n",
    "<2>d",
  ]],
  ["a count with a newline behind the message", octetCounted(), "1 a\n1 b\n", ["a", "b"]],
  [
    "headers in any order and case",
    contentLength(),
    "X:\r\ncontent-LENGTH:  2\t \r\nContent-Type: a; b=c\r\n\r\nhiContent-Length: 0\r\n\r\n",
    ["hi", ""],
  ],
  ["newlines between frames of HL7", mllp(), "\r\n\x0ba\x1c\r\n\r\x0bb\x1cc\x1c\r", [
    "a",
    "b\x1cc",
  ]],
  [
    "fragments",
    recordMarking(),
    "\0\0\0\x01a\0\0\0\x02bc\x80\0\0\0\x80\0\0\x01d",
    ["abc", "d"],
  ],
];

for (const [what, framing, stream, messages] of TAKEN) {
  Deno.test(`${framing.name} takes ${what}, at every cut`, () => {
    const bytes = Uint8Array.from(stream, (sign) => sign.charCodeAt(0));
    const ways = bytes.length < 60 ? everyTwoCuts(bytes) : [[bytes]];
    for (const chunks of [...ways, byteByByte(bytes)]) {
      assertEquals(texts(decodeAll(framing, chunks)), messages);
    }
  });
}

Deno.test("fcgi() drops padding and says so in the header; with keepPadding it changes nothing", () => {
  const record = hex("01060007 00020305 6869 aabbcc");
  for (const chunks of [...everyTwoCuts(record), byteByByte(record)]) {
    assertEquals(decodeAll(fcgi(), chunks.map((c) => c.slice())), [hex("01060007 00020005 6869")]);
    assertEquals(decodeAll(fcgi({ keepPadding: true }), chunks), [record]);
  }
});

Deno.test("delimiter() refuses delimiters that cannot be told apart, and too many or too long ones", () => {
  for (
    const [delimiters, message] of [
      [[], "Cannot use 0 delimiters: there must be 1 to 16"],
      [Array.from({ length: 17 }, (_, i) => Uint8Array.of(i)), "Cannot use 17 delimiters"],
      ["", "Cannot use delimiter of 0 bytes: it must have 1 to 64"],
      ["a".repeat(65), "Cannot use delimiter of 65 bytes: it must have 1 to 64"],
      [["\r", "\r\n"], "Cannot use delimiter 0d0a together with 0d: that one ends inside it"],
      [["b", "abc"], "Cannot use delimiter 616263 together with 62: that one ends inside it"],
      [["a", "a"], "Cannot use delimiter 61 together with 61: it is the same"],
    ] as const
  ) assertThrows(() => delimiter(delimiters), TypeError, message);
});

/** What a delimiter means, byte by byte and without any haste. */
function split(stream: Uint8Array, ends: readonly Uint8Array[], keep: boolean): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let start = 0;
  for (let stop = 1; stop <= stream.length; stop++) {
    const found = ends.filter((end) =>
      stop - end.length >= start && equals(stream.slice(stop - end.length, stop), end)
    );
    if (found.length === 0) continue;
    const longest = Math.max(...found.map((end) => end.length));
    messages.push(stream.slice(start, keep ? stop : stop - longest));
    start = stop;
  }
  return start < stream.length ? [...messages, stream.slice(start)] : messages;
}

Deno.test("delimiter() means what it says, whatever the delimiters, the stream and the chunks are", () => {
  const letters = (maxLength: number, minLength = 0) =>
    fc.array(fc.constantFrom(0x61, 0x62, 0x63), { minLength, maxLength, size: "max" })
      .map((list) => Uint8Array.from(list));
  let made = 0;
  fc.assert(
    fc.property(
      fc.array(letters(4, 1), { minLength: 1, maxLength: 3 }),
      letters(30),
      fc.boolean(),
      fc.array(fc.nat({ max: 30 }), { maxLength: 6 }),
      (ends, stream, keep, cuts) => {
        let framed;
        try {
          framed = delimiter(ends, { keep, openEnd: true });
        } catch (error) {
          assert(error instanceof TypeError);
          return;
        }
        made++;
        const places = cuts.map((at) => at % (stream.length + 1));
        assertEquals(decodeAll(framed, cutAt(stream, ...places)), split(stream, ends, keep));
      },
    ),
    { numRuns: 3000 },
  );
  assert(made > 1000, `only ${made} framings`);
});

Deno.test("Framings whose frames have a largest size refuse a limit above it, and take a lower one", () => {
  for (const [framing, most] of [[tpkt, 65_531], [fcgi, 65_543]] as const) {
    assertEquals(framing().maxMessageBytes, most);
    assertThrows(() => framing({ maxMessageBytes: most + 1 }), RangeError, `at most ${most}`);
    assertEquals(framing().withLimit(MiB).maxMessageBytes, most);
  }
  assertEquals(fixed(5).withLimit(MiB).maxMessageBytes, 5);
  assertThrows(() => fixed(5, { maxMessageBytes: 4 }), RangeError, "each message is too large");
  assertThrows(() => fixed(0), RangeError, "Cannot use bytes 0");
  assertThrows(() => recordMarking({ maxFragmentBytes: 0 }), RangeError, "maxFragmentBytes 0");
});

Deno.test("Decoders take the first megabyte of zeros, of digits and of newlines in linear time", () => {
  for (
    const framing of [delimiter(["\n", "x\0"]), delimiter("\n".repeat(64)), mllp(), contentLength()]
  ) {
    for (const byte of [0, 0x30, 0x0a, 0x0d]) {
      const started = performance.now();
      const { error } = outcomeOf(framing.decoder(), [new Uint8Array(MiB).fill(byte)]);
      assert(error === undefined || error instanceof ProtocolError);
      assert(
        performance.now() - started < 30_000,
        `${framing.name}: ${performance.now() - started}`,
      );
    }
  }
});

Deno.test("A stream that ends inside a header says so", () => {
  for (const [framing, start] of [[contentLength(), "Content-Len"], [netstring(), "1"]] as const) {
    const { error } = outcomeOf(framing.decoder(), [utf8(start)]);
    assert(error instanceof TruncatedMessageError);
    assert(error.message.includes("in its header"), error.message);
  }
});

Deno.test("delimiter finds its ends wherever a chunk lies in memory, near and far", () => {
  const messages = [0, 1, 2, 3, 4, 5, 7, 31, 95, 96, 97, 98, 99, 100, 101, 400].map((size) =>
    new Uint8Array(size).fill(0x8a)
  );
  for (const framing of [delimiter(hex("0a")), delimiter(hex("0d0a")), delimiter(hex("8b"))]) {
    const stream = concat(messages.map((message) => framing.encode(message)));
    for (let offset = 0; offset < 8; offset++) {
      for (const size of [1, 2, 3, 5, 7, 8, 9, 64, stream.length]) {
        const decoder = framing.decoder();
        const found: Uint8Array[] = [];
        for (let at = 0; at < stream.length; at += size) {
          const part = stream.subarray(at, at + size);
          const memory = new Uint8Array(offset + part.length); // The chunk is the end of its memory.
          memory.set(part, offset);
          decoder.decode(memory.subarray(offset), found);
        }
        assertEquals(found, messages);
      }
    }
  }
});
