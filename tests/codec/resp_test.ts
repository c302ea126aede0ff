import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  InvalidLengthError,
  InvalidMessageError,
  MessageTooLargeError,
  TruncatedMessageError,
} from "../../errors.ts";
import { resp2, resp3 } from "../../codec/resp.ts";
import {
  byteByByte,
  cutAt,
  decodeAll,
  everyCut,
  everyTwoCuts,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";
import { assertRefused, shifted } from "../support/refusals.ts";

/** Lines, each of which ends with CRLF. */
const lines = (...all: string[]) => all.map((line) => `${line}\r\n`).join("");

const RESP2 = [
  lines("+OK"),
  lines("+"),
  lines("-ERR unknown command 'x'"),
  lines(":-42"),
  lines("$5", "hello"),
  lines("$0", ""),
  lines("$-1"),
  lines("$6", "a\r\nb\r\n"), // CRLF in the bytes is no end
  lines("*-1"),
  lines("*0"),
  lines("*2", "$3", "GET", "$1", "k"),
  lines("*3", ":1", "*2", "+a", "*0", "$-1"),
];
const RESP3 = [
  lines("_"),
  lines("#t"),
  lines(",-inf"),
  lines("(3492890328409238509324850943850943825024385"),
  lines("!21", "SYNTAX invalid syntax"),
  lines("=15", "txt:Some string"),
  lines("%2", "+first", ":1", "+second", "*1", ":2"),
  lines("~2", "+a", "#f"),
  lines("~0"),
  lines("%0"),
  lines(">2", "+message", "+somechannel"),
  lines("|1", "+ttl", ":3600", "*2", ":1", "|1", "+a", "|0", "+b", ":2"),
  lines("|1", "+ttl", ":3600", ">1", "+pushed"),
  lines("$?", ";4", "Hell", ";5", "o wor", ";1", "d", ";0"),
  lines("$?", ";0"),
  lines("*?", ":1", "*1", ":2", "$?", ";1", "x", ";0", "."),
  lines("~?", "."),
  lines("%?", "+a", ":1", "+b", "%?", ".", "."),
  lines("*2", "*?", ".", "+last"),
];

Deno.test("resp2() finds whole values, at every cut", () => {
  for (const value of RESP2) {
    assertEquals(texts([resp2().encode(utf8(value))]), [value]);
    for (const chunks of [...everyTwoCuts(utf8(value)), byteByByte(utf8(value))]) {
      assertEquals(texts(decodeAll(resp2(), chunks)), [value]);
    }
  }
});

Deno.test("resp3() finds whole values, those of RESP2 too, at every cut", () => {
  const values = [...RESP2, ...RESP3];
  for (const value of values) {
    assertEquals(texts([resp3().encode(utf8(value))]), [value]);
    for (const chunks of [...everyCut(utf8(value)), byteByByte(utf8(value))]) {
      assertEquals(texts(decodeAll(resp3(), chunks)), [value]);
    }
  }
  const stream = utf8(values.join(""));
  for (const chunks of [...everyCut(stream), byteByByte(stream)]) {
    assertEquals(texts(decodeAll(resp3(), chunks)), values);
  }
});

Deno.test("resp2() refuses what is no value, and says the byte and its offset", () => {
  const refusals: [string, typeof InvalidLengthError, string][] = [
    ["GET / HTTP/1.1\r\n", InvalidMessageError, `it has "G" at byte 0, where a type must be`],
    ["\r\n", InvalidMessageError, "it has 0x0d at byte 0, where a type must be"],
    ["*1\r\n_\r\n", InvalidMessageError, `it has "_" at byte 4, where a type must be`],
    ["%1\r\n", InvalidMessageError, `it has "%" at byte 0, where a type must be`],
    ["+a\rb\r\n", InvalidMessageError, `it has "b" at byte 3, where 0x0a must be`],
    ["+a\n", InvalidMessageError, "it has 0x0a at byte 2, where 0x0d must be"],
    ["$1\r\nab\r\n", InvalidMessageError, `it has "b" at byte 5, where 0x0d must be`],
    ["$1\r\na\r\r", InvalidMessageError, "it has 0x0d at byte 6, where 0x0a must be"],
    ["$\r\n", InvalidLengthError, "its length has 0x0d at byte 1, where a digit must be"],
    ["$-\r\n", InvalidLengthError, "its length has 0x0d at byte 2, where a digit must be"],
    ["$-2\r\n", InvalidLengthError, `its length has "2" at byte 2, where -1 must be`],
    ["*-10\r\n", InvalidLengthError, `its length has "0" at byte 3, where -1 must be`],
    ["$+1\r\n", InvalidLengthError, `its length has "+" at byte 1, where a digit must be`],
    ["$ 1\r\n", InvalidLengthError, "its length has 0x20 at byte 1, where a digit must be"],
    ["*1 \r\n", InvalidLengthError, "its length has 0x20 at byte 2, where a digit must be"],
    ["$01\r\n", InvalidLengthError, `its length has "1" at byte 2, where 0x0d must be`],
    ["$-01\r\n", InvalidLengthError, `its length has "0" at byte 2, where -1 must be`],
    ["*1\n", InvalidLengthError, "its length has 0x0a at byte 2, where a digit must be"],
    ["$0x1\r\n", InvalidLengthError, `its length has "x" at byte 2, where a digit must be`],
    ["$?\r\n", InvalidLengthError, `its length has "?" at byte 1, where a digit must be`],
    [
      `*${"9".repeat(20)}`,
      InvalidLengthError,
      "its length has 20 digits at byte 20: limit is 19 digits",
    ],
  ];
  for (const [text, Class, what] of refusals) {
    const words = `Cannot receive message: ${what}`;
    assertRefused(resp2(), utf8(text), Class, words);
    assertRefused(resp2(), utf8(`+OK\r\n${text}`), Class, shifted(words, 5), 1);
  }
});

Deno.test("resp3() refuses streamed values, pushes and ends where they cannot be", () => {
  const refusals: [string, typeof InvalidLengthError, string][] = [
    [
      lines("*1", ">1", "+a"),
      InvalidMessageError,
      "it has a push inside of another value at byte 4",
    ],
    [lines("."), InvalidMessageError, `it has "." at byte 0, where a type must be`],
    [lines("*1", "."), InvalidMessageError, `it has "." at byte 4, where a type must be`],
    [
      lines("*?", "|1", "+a", "+b", "."),
      InvalidMessageError,
      `it has "." at byte 16, where a type must be`,
    ],
    [
      lines("%?", "+a", "."),
      InvalidMessageError,
      "its streamed map ends at byte 8, before the value of a pair",
    ],
    [lines(";1", "a"), InvalidMessageError, `it has ";" at byte 0, where a type must be`],
    [
      lines("$?", "+a"),
      InvalidMessageError,
      `it has "+" at byte 4, where a part of a streamed string must be`,
    ],
    ["$?x", InvalidMessageError, `it has "x" at byte 2, where 0x0d must be`],
    ["*?\r\n.x", InvalidMessageError, `it has "x" at byte 5, where 0x0d must be`],
    [lines(">?"), InvalidLengthError, `its length has "?" at byte 1, where a digit must be`],
    [lines("|?"), InvalidLengthError, `its length has "?" at byte 1, where a digit must be`],
    [lines("%-1"), InvalidLengthError, `its length has "-" at byte 1, where a digit must be`],
    [lines("$?", ";-1"), InvalidLengthError, `its length has "-" at byte 5, where a digit must be`],
  ];
  for (const [text, Class, what] of refusals) {
    const words = `Cannot receive message: ${what}`;
    assertRefused(resp3(), utf8(text), Class, words);
  }
});

Deno.test("resp2() takes inline commands if it is told to, and drops empty lines", () => {
  const server = resp2({ inline: true });
  const stream = utf8('PING\r\n\r\n\nset key "a b"\n*1\r\n$4\r\nPING\r\nQUIT\r\n');
  for (const chunks of [...everyTwoCuts(stream.subarray(0, 30)), byteByByte(stream)]) {
    const { messages } = outcomeOf(server.decoder(), chunks);
    assertEquals(texts(messages.slice(0, 2)), ["PING\r\n", 'set key "a b"\n']);
  }
  assertEquals(texts(decodeAll(server, [stream])).slice(2), ["*1\r\n$4\r\nPING\r\n", "QUIT\r\n"]);
  assertEquals(texts([server.encode(utf8("PING\r\n"))]), ["PING\r\n"]);
  assertRefused(
    server,
    utf8("*1\r\nPING\r\n"),
    InvalidMessageError,
    `Cannot receive message: it has "P" at byte 4, where a type must be`,
  );
  for (const text of ["PING", "\r\nPING\r\n", "PING\r\nPING\r\n"]) {
    assertThrows(() => server.encode(utf8(text)), InvalidMessageError);
  }
  assertEquals(decodeAll(server, [utf8("x".repeat(65_534) + "\r\n")])[0].length, 65_536);
  for (const text of ["x".repeat(65_537), "x".repeat(65_535) + "\r\n"]) {
    for (const chunks of [[utf8(text)], cutAt(utf8(text), 1, 65_536)]) {
      const { error } = outcomeOf(server.decoder(), chunks);
      assert(error instanceof InvalidMessageError);
      assertMatch(error.message, /: its inline command is longer than 65536 bytes at byte 65536$/);
    }
  }
});

Deno.test("resp2() takes a value at the limit and refuses a larger one from its first line", () => {
  const limited = resp2({ maxMessageBytes: 16 });
  for (
    const value of [
      lines("$9", "123456789"),
      lines("*4", ":", ":", ":", ":"),
      lines(`+${"x".repeat(13)}`),
    ]
  ) {
    for (const chunks of [...everyTwoCuts(utf8(value)), byteByByte(utf8(value))]) {
      assertEquals(texts(decodeAll(limited, chunks)), [value]);
    }
  }
  for (
    const [text, size] of [
      [lines("$10"), 17],
      [lines("*5"), 19],
      [lines("*9999999999"), 30_000_000_010],
      [lines("*1", "$7"), 17],
      [`+${"x".repeat(16)}`, 17],
      [lines("*3", ":", ":") + ":1234567", 17],
    ] as const
  ) {
    for (const chunks of [[utf8(text)], byteByByte(utf8(text)), cutAt(utf8(text), 2)]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError, text);
      assertEquals([error.size, error.limit], [size, 16]);
    }
  }
  const { error } = outcomeOf(resp3({ maxMessageBytes: 16 }).decoder(), [utf8(lines("%3"))]);
  assert(error instanceof MessageTooLargeError);
  assertEquals(error.size, 4 + 6 * 3);
});

Deno.test("resp2() says what is missing at the end", () => {
  for (
    const [text, missing] of [
      ["$5\r\nhe", 5],
      ["*1\r\n$5\r\nhe", 5],
      ["$5\r\n", 7],
      ["*2\r\n+a\r\n", 1],
      ["+OK\r", 1],
      [":1", 1],
    ] as const
  ) {
    for (const chunks of [[utf8(text)], byteByByte(utf8(text))]) {
      const { error } = outcomeOf(resp2().decoder(), chunks);
      assert(error instanceof TruncatedMessageError);
      assertEquals([error.received, error.missing], [text.length, missing], text);
    }
  }
});

Deno.test("resp3() refuses values that are nested too deep, and needs no stack for others", () => {
  for (const [open, close] of [["*1\r\n", ""], ["*?\r\n", ".\r\n"], ["%1\r\n+a\r\n", ""]]) {
    const deep = (levels: number) => utf8(`${open.repeat(levels)}+x\r\n${close.repeat(levels)}`);
    assertEquals(decodeAll(resp3(), [deep(512)]), [deep(512)]);
    const offset = 512 * open.length + 4;
    const words = `Cannot receive message: it is nested 513 levels deep at byte ${offset}: ` +
      "limit is 512 levels";
    assertRefused(resp3(), deep(513), InvalidMessageError, words);
    assertRefused(resp3(), deep(1000), InvalidMessageError, words);
    for (const levels of open === "*?\r\n" ? [1000, 1_000_000] : [1000]) {
      const stream = deep(levels);
      const chunks = cutAt(stream, 3, levels, 2 * levels + 1);
      assertEquals(decodeAll(resp3({ maxDepth: levels }), chunks)[0].length, stream.length);
    }
  }
});

Deno.test("resp2() refuses to send what is not one value", () => {
  for (
    const [text, what] of [
      ["", "it is not one RESP value, it ends too early, at byte 0"],
      ["*2\r\n+a\r\n", "it is not one RESP value, it ends too early, at byte 8"],
      ["+a\r\n+b\r\n", "it is not one RESP value, more follows at byte 4"],
      ["PING\r\n", `it has "P" at byte 0, where a type must be`],
      ["_\r\n", `it has "_" at byte 0, where a type must be`],
      ["$9007199254740000\r\n", "it is not one RESP value, it ends too early, at byte 19"],
    ]
  ) {
    const error = assertThrows(() => resp2().encode(utf8(text)), InvalidMessageError);
    assertEquals(error.message, `Cannot send message: ${what}`);
  }
});
