import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import { jsonStream } from "../../codec/json_stream.ts";
import {
  byteByByte,
  cutAt,
  decodeAll,
  everyTwoCuts,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";
import { assertRefused, shifted } from "../support/refusals.ts";

const VALUES = [
  `{}`,
  `[]`,
  `{"a":[1,{"b":null}],"":"x"}`,
  `[ 1 , 2.5e-3,\t"]" ]`,
  `"a\\"b\\u00e9\\\\"`,
  `""`,
  `true`,
  `false`,
  `null`,
  `"é 😀"`,
];
const NUMBERS = ["0", "-0", "7", "-12", "0.5", "10.25", "1e5", "2E+10", "3.5e-7", "0e0"];

Deno.test("jsonStream() finds values that stand one behind the other, at every cut", () => {
  const stream = utf8(VALUES.join(""));
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(jsonStream(), chunks)), VALUES);
  }
});

Deno.test("jsonStream() drops white space between values, and keeps what is in them", () => {
  const stream = utf8(` \n${VALUES.join(" \r\n\t")}\n\n`);
  for (const chunks of [[stream.slice()], byteByByte(stream)]) {
    assertEquals(texts(decodeAll(jsonStream(), chunks)), VALUES);
  }
});

Deno.test("jsonStream() hands over a number when something ends it, or the stream ends", () => {
  const stream = utf8(NUMBERS.join("\n"));
  for (const chunks of [...everyTwoCuts(stream.subarray(0, 20)), [stream.slice()]]) {
    const whole = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const expected = new TextDecoder().decode(stream.subarray(0, whole)).split("\n");
    assertEquals(texts(decodeAll(jsonStream(), chunks)), expected.filter((text) => text !== ""));
  }
  assertEquals(texts(decodeAll(jsonStream(), [utf8(`1[2]3{"a":4}5"six"7`)])), [
    "1",
    "[2]",
    "3",
    `{"a":4}`,
    "5",
    `"six"`,
    "7",
  ]);
  const decoder = jsonStream().decoder();
  assertEquals(decoder.decode(utf8("12")), []);
  assertEquals(decoder.pendingBytes, 2);
  assertEquals(texts(decoder.decode(utf8("3 "))), ["123"]);
  assertEquals(decoder.pendingBytes, 0);
});

Deno.test("jsonStream() refuses what is no JSON, and says the byte and its offset", () => {
  const refusals: [string, string][] = [
    ["x", `it has "x" at byte 0, where a JSON value must be`],
    ["[1,]", `it has "]" at byte 3, where a JSON value must be`],
    ["[1 2]", `it has "2" at byte 3, where a comma or "]" must be`],
    ["[1}", `it has "}" at byte 2, where a comma or "]" must be`],
    [`{"a":1]`, `it has "]" at byte 6, where a comma or "}" must be`],
    [`{"a" 1}`, `it has "1" at byte 5, where a colon must be`],
    [`{a:1}`, `it has "a" at byte 1, where a name or "}" must be`],
    [`{"a":1,}`, `it has "}" at byte 7, where a name must be`],
    ["]", `it has "]" at byte 0, where a JSON value must be`],
    ["truE", `it has "E" at byte 3, where "e" must be`],
    [`"a\nb"`, "it has 0x0a at byte 2, where a character of a string must be"],
    [`"\\x"`, `it has "x" at byte 2, where an escape of JSON must be`],
    [`"\\u00g0"`, `it has "g" at byte 5, where a hexadecimal digit must be`],
    ["01", `it has "1" at byte 1, where the end of a number must be`],
    ["[-01]", `it has "1" at byte 3, where the end of a number must be`],
    ["+1", `it has "+" at byte 0, where a JSON value must be`],
    ["- 1", "it has 0x20 at byte 1, where a digit must be"],
    [".5", `it has "." at byte 0, where a JSON value must be`],
    ["1.e5", `it has "e" at byte 2, where a digit must be`],
    ["1e+ ", "it has 0x20 at byte 3, where a digit must be"],
    ["1-2", `it has "-" at byte 1, where the end of a number must be`],
    ["1,2", `it has "," at byte 1, where the end of a number must be`],
    ["\x1e{}", "it has 0x1e at byte 0, where a JSON value must be"],
    ["\ufeff{}", "it has 0xef at byte 0, where a JSON value must be"],
  ];
  for (const [text, what] of refusals) {
    const words = `Cannot receive message: ${what}`;
    assertRefused(jsonStream(), utf8(text), InvalidMessageError, words);
    const after = utf8(`{}\n[] ${text}`);
    assertRefused(jsonStream(), after, InvalidMessageError, shifted(words, 6), 2);
  }
});

Deno.test("jsonStream() takes what JSON.parse() takes, and nothing else", () => {
  for (const text of [...VALUES, ...NUMBERS]) {
    JSON.parse(text);
    assertEquals(texts([jsonStream().encode(utf8(text))]), [`${text}\n`]);
  }
});

Deno.test("jsonStream() refuses to send what is not one value", () => {
  const refusals: [string, string][] = [
    ["", "it is not one JSON value, it ends too early, at byte 0"],
    ["[1", "it is not one JSON value, it ends too early, at byte 2"],
    ["{} ", "it is not one JSON value, more follows at byte 2"],
    ["1 ", "it is not one JSON value, more follows at byte 1"],
    ["[][]", "it is not one JSON value, more follows at byte 2"],
    [" {}", "it has 0x20 at byte 0, where a JSON value must be"],
    ["hello", `it has "h" at byte 0, where a JSON value must be`],
    ["1.", "it is not one JSON value, it ends too early, at byte 2"],
  ];
  const framing = jsonStream();
  for (const [text, what] of refusals) {
    for (const way of ["frameBytes", "encodeParts", "encode"] as const) {
      const error = assertThrows(() => framing[way](utf8(text)), InvalidMessageError);
      assertEquals(error.message, `Cannot send message: ${what}`);
    }
    assertEquals(texts([framing.encode(utf8("[1]"))]), ["[1]\n"]);
  }
});

Deno.test("jsonStream() ends with an error inside of a value", () => {
  for (const text of ["[", "[1", `{"a":`, `"a`, `"\\`, "tru", "-", "1.", "1e"]) {
    const { messages, error } = outcomeOf(jsonStream().decoder(), [utf8(`{}${text}`)]);
    assertEquals(texts(messages), ["{}"]);
    assert(error instanceof TruncatedMessageError, text);
    assertEquals([error.received, error.missing], [text.length, 1]);
  }
});

Deno.test("jsonStream() takes a value at the limit and refuses a longer one, at every cut", () => {
  const limited = jsonStream({ maxMessageBytes: 5 });
  const cases = [["[123]", "[1234]"], ["12345", "123456"], ['"abc"', '"abcd"'], [
    "false",
    '"four"',
  ]];
  for (const [right, above] of cases) {
    const stream = utf8(`${right} ${right}\n`);
    for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
      assertEquals(texts(decodeAll(limited, chunks)), [right, right]);
    }
    for (const chunks of [[utf8(above)], ...everyTwoCuts(utf8(above)), byteByByte(utf8(above))]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError);
      assertEquals([error.size, error.limit], [6, 5]);
    }
  }
});

Deno.test("jsonStream() refuses a value that is nested too deep, and needs no stack for others", () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
    const deep = (levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`;
    assertEquals(texts(decodeAll(jsonStream(), [utf8(deep(512))])), [deep(512)]);
    const offset = 512 * open.length;
    const words = `Cannot receive message: its JSON is nested 513 levels deep at byte ${offset}: ` +
      `limit is 512 levels`;
    assertRefused(jsonStream(), utf8(deep(513)), InvalidMessageError, words);
    for (const levels of [1000, 1_000_000]) {
      assertRefused(jsonStream(), utf8(open.repeat(1000)), InvalidMessageError, words);
      const stream = utf8(deep(levels));
      const [message] = decodeAll(jsonStream({ maxDepth: levels }), [stream.slice()]);
      assertEquals(message.length, stream.length);
      const thirds = cutAt(stream, levels >> 1, stream.length - (levels >> 1));
      assertEquals(decodeAll(jsonStream({ maxDepth: levels }), thirds)[0].length, stream.length);
    }
  }
  assertThrows(() => jsonStream({ maxDepth: 0 }), RangeError, "maxDepth 0");
  assertThrows(() => jsonStream({ maxDepth: 1_000_001 }), RangeError, "1 to 1000000");
});
