import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import { jsonSequence } from "../../codec/json_sequence.ts";
import { byteByByte, decodeAll, everyTwoCuts, outcomeOf, texts, utf8 } from "../support/bytes.ts";
import { assertRefused, shifted } from "../support/refusals.ts";

const RS = "\x1e";

Deno.test("jsonSequence() finds texts between a record separator and a newline, at every cut", () => {
  const values = [`{"a":1}`, "2", "true", `"x"`, "[]"];
  const stream = utf8(values.map((value) => `${RS}${value}\n`).join(""));
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(jsonSequence(), chunks)), values);
  }
});

Deno.test("jsonSequence() takes the newlines inside of a text for a part of it", () => {
  const pretty = JSON.stringify({ a: [1, 2], b: null }, undefined, 2);
  const stream = utf8(`${RS}${pretty}\n${RS} \n 4 \n${RS}${pretty}\n`);
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(jsonSequence(), chunks)), [pretty, " \n 4 ", pretty]);
  }
});

Deno.test("jsonSequence() drops empty texts and white space between texts", () => {
  const stream = utf8(`${RS}${RS}\n${RS}1\n \n\t${RS}${RS}[2]\n\n`);
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(jsonSequence(), chunks)), ["1", "[2]"]);
  }
});

Deno.test("jsonSequence() takes a text without its newline if its value cannot have been cut", () => {
  const stream = utf8(`${RS}{"a":1}${RS}[2]${RS}"x"${RS}3 ${RS}null\t${RS}{}`);
  for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
    const expected = [`{"a":1}`, "[2]", `"x"`, "3 ", "null\t", "{}"];
    assertEquals(texts(decodeAll(jsonSequence(), chunks)), expected);
  }
});

Deno.test("jsonSequence() refuses a text that may have been cut", () => {
  const refusals: [string, string][] = [
    [`${RS}123${RS}4\n`, "it has 0x1e at byte 4, where the end of a number must be"],
    [`${RS}true${RS}4\n`, "it has 0x1e at byte 5, where a newline must be"],
    [`${RS}{"a":${RS}4\n`, "it has 0x1e at byte 6, where a JSON value must be"],
    [`${RS}"abc${RS}4\n`, "it has 0x1e at byte 5, where a character of a string must be"],
  ];
  for (const [text, what] of refusals) {
    const words = `Cannot receive message: ${what}`;
    assertRefused(jsonSequence(), utf8(text), InvalidMessageError, words);
    assertRefused(
      jsonSequence(),
      utf8(`${RS}{}\n${text}`),
      InvalidMessageError,
      shifted(words, 4),
      1,
    );
  }
  for (const text of ["123", "true", "[1", `"a`, ""]) {
    const { messages, error } = outcomeOf(jsonSequence().decoder(), [utf8(`${RS}1\n${RS}${text}`)]);
    assertEquals(texts(messages), ["1"]);
    assert(error instanceof TruncatedMessageError);
    assertEquals([error.received, error.missing], [1 + text.length, 1]);
  }
});

Deno.test("jsonSequence() refuses what is no sequence, and says the byte and its offset", () => {
  const refusals: [string, string][] = [
    ["{}\n", `it has "{" at byte 0, where a record separator (0x1e) must be`],
    [`${RS}x\n`, `it has "x" at byte 1, where a JSON value must be`],
    [`${RS}{} {}\n`, `it has "{" at byte 4, where a newline must be`],
    [`${RS}nulls\n`, `it has "s" at byte 5, where a newline must be`],
  ];
  for (const [text, what] of refusals) {
    assertRefused(
      jsonSequence(),
      utf8(text),
      InvalidMessageError,
      `Cannot receive message: ${what}`,
    );
  }
});

Deno.test("jsonSequence() sends one value, with white space around it but no newline behind", () => {
  for (const text of ["{}", " 1", "\n[ ]", "true \t", '"\\n"']) {
    const frame = jsonSequence().encode(utf8(text));
    assertEquals(texts([frame]), [`${RS}${text}\n`]);
    assertEquals(texts(decodeAll(jsonSequence(), [frame])), [text]);
  }
  const refusals: [string, string][] = [
    ["", "it is not one JSON value, it ends too early, at byte 0"],
    [" ", "it is not one JSON value, it ends too early, at byte 1"],
    ["[1", "it is not one JSON value, it ends too early, at byte 2"],
    ["{}\n", "it is not one JSON value, more follows at byte 3"],
    ["1\n2", "it is not one JSON value, more follows at byte 2"],
    [`${RS}1`, "it has 0x1e at byte 0, where a JSON value must be"],
    ["1 2", `it has "2" at byte 2, where a newline must be`],
  ];
  for (const [text, what] of refusals) {
    const error = assertThrows(() => jsonSequence().encode(utf8(text)), InvalidMessageError);
    assertEquals(error.message, `Cannot send message: ${what}`);
  }
});

Deno.test("jsonSequence() takes a text at the limit and refuses a longer one, at every cut", () => {
  const limited = jsonSequence({ maxMessageBytes: 5 });
  const right = utf8(`${RS}[123]\n${RS}12345\n${RS}"abc"${RS}false\n`);
  for (const chunks of [...everyTwoCuts(right), byteByByte(right)]) {
    assertEquals(texts(decodeAll(limited, chunks)), ["[123]", "12345", '"abc"', "false"]);
  }
  for (const text of [`${RS}[1234]\n`, `${RS}123456\n`, `${RS}"abcd"${RS}`, `${RS}[   ]      `]) {
    for (const chunks of [...everyTwoCuts(utf8(text)), byteByByte(utf8(text))]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError);
      assertEquals([error.size, error.limit], [6, 5]);
    }
  }
  const { error } = outcomeOf(limited.decoder(), [utf8(RS.repeat(1000))]);
  assert(error instanceof MessageTooLargeError, "record separators without end");
});

Deno.test("jsonSequence() refuses a text that is nested too deep", () => {
  const words = "Cannot receive message: its JSON is nested 4 levels deep at byte 4: " +
    "limit is 3 levels";
  const framing = jsonSequence({ maxDepth: 3 });
  assertRefused(framing, utf8(`${RS}[[[[]]]]\n`), InvalidMessageError, words);
  assertRefused(framing, utf8(`${RS}${"[".repeat(1000)}`), InvalidMessageError, words);
  assertEquals(texts(decodeAll(framing, [utf8(`${RS}[[[]]]\n`)])), ["[[[]]]"]);
});
