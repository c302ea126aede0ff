import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { InvalidMessageError, line, MessageTooLargeError } from "../../codec.ts";
import { byteByByte, decodeAll, everyTwoCuts, hex, texts, utf8 } from "../support/bytes.ts";

Deno.test("line() ends a line at LF or CR LF, cut anywhere", () => {
  for (
    const [stream, lines] of [
      ["a\nb\n", ["a", "b"]],
      ["a\r\nb\r\n", ["a", "b"]],
      ["a\nb\r\nc\n", ["a", "b", "c"]],
      ["\n\r\n\n", ["", "", ""]],
      ["a\rb\r\n", ["a\rb"]],
      ["a\r\r\n", ["a\r"]],
      ["\ra\n", ["\ra"]],
      ["Grüße €\n", ["Grüße €"]],
    ] as const
  ) {
    for (const chunks of [...everyTwoCuts(utf8(stream)), byteByByte(utf8(stream))]) {
      assertEquals(texts(decodeAll(line(), chunks)), [...lines]);
    }
  }
});

Deno.test("line() waits for LF after a CR at the end of a chunk", () => {
  const decoder = line().decoder();
  assertEquals(decoder.decode(utf8("HELLO\r")), []);
  assertEquals(decoder.pendingBytes, 6);
  assertEquals(texts(decoder.decode(utf8("\nhi"))), ["HELLO"]);
  assertEquals(decoder.pendingBytes, 2);
});

Deno.test("Decoder.end() hands over the last line of line() without its newline", () => {
  for (
    const [stream, lines] of [
      ["", []],
      ["a\n", ["a"]],
      ["a\nb", ["a", "b"]],
      ["a\nb\r", ["a", "b"]],
      ["a", ["a"]],
      ["\n", [""]],
    ] as const
  ) {
    for (const chunks of everyTwoCuts(utf8(stream))) {
      assertEquals(texts(decodeAll(line(), chunks)), [...lines]);
    }
  }
});

Deno.test("Decoder.end() of line() appends to the array that it is given", () => {
  const decoder = line().decoder();
  const messages = decoder.decode(utf8("a\nb"));
  assertStrictEquals(decoder.end(messages), messages);
  assertEquals(texts(messages), ["a", "b"]);
  assertEquals(decoder.pendingBytes, 0);
});

Deno.test("line() does not count the newline against the limit, LF or CR LF, cut anywhere", () => {
  for (const stream of ["HELLO\nHELLO\n", "HELLO\r\nHELLO\r\n", "HELLO\r\nHELLO\r"]) {
    for (const chunks of [...everyTwoCuts(utf8(stream)), byteByByte(utf8(stream))]) {
      assertEquals(texts(decodeAll(line({ maxMessageBytes: 5 }), chunks)), ["HELLO", "HELLO"]);
    }
  }
});

Deno.test("line() refuses a line above the limit, with its newline and without, cut anywhere", () => {
  for (const stream of ["HELLO!\n", "HELLO!\r\n", "HELLO!", "HELLO\r!\n", "HELLO\r\r\n"]) {
    for (const chunks of [...everyTwoCuts(utf8(stream)), byteByByte(utf8(stream))]) {
      const error = assertThrows(
        () => decodeAll(line({ maxMessageBytes: 5 }), chunks),
        MessageTooLargeError,
      );
      assertEquals(error.limit, 5);
      assert(error.size > 5 && error.size <= stream.length);
    }
  }
});

Deno.test("line() refuses a line without end before it holds more than the limit", () => {
  const decoder = line({ maxMessageBytes: 1000 }).decoder();
  const error = assertThrows(() => {
    for (;;) {
      decoder.decode(new Uint8Array(64).fill(0x61));
      assert(decoder.pendingBytes <= 1001);
    }
  }, MessageTooLargeError);
  assertEquals(error.size, 1024);
  assertEquals(decoder.pendingBytes, 0);
});

Deno.test("line() waits for no more than one byte above the limit, which may be a CR", () => {
  const limited = line({ maxMessageBytes: 5 });
  assertEquals(limited.decoder().decode(utf8("HELLO\r")), []);
  assertThrows(() => limited.decoder().decode(utf8("HELLO!!")), MessageTooLargeError, "7 bytes");
  const decoder = limited.decoder();
  decoder.decode(utf8("HELLO\r"));
  assertThrows(() => decoder.decode(utf8("!")), MessageTooLargeError, "7 bytes");
});

Deno.test("line() sends LF, or CR LF when told", () => {
  assertEquals(line().encode(utf8("HELLO")), utf8("HELLO\n"));
  const crlf = line({ newline: "\r\n" });
  assertEquals(crlf.encode(utf8("HELLO")), utf8("HELLO\r\n"));
  assertEquals(crlf.frameBytes(utf8("HELLO")), 7);
  assertEquals(concat(crlf.encodeParts(utf8("HELLO"))), utf8("HELLO\r\n"));
  assertEquals(texts(decodeAll(crlf, [crlf.encode(utf8("HELLO"))])), ["HELLO"]);
});

Deno.test("line() refuses to send what would not arrive as it was", () => {
  for (
    const [message, why] of [
      ["0a", "it has a newline at byte 0"],
      ["48490a4a", "it has a newline at byte 2"],
      ["48490d0a", "it has a newline at byte 3"],
      ["0d", "it ends in a carriage return"],
      ["48490d", "it ends in a carriage return"],
      ["480d0049", "it has CR NUL, which ends a line in telnet"],
      ["00480d00", "it has CR NUL, which ends a line in telnet"],
      ["ff0d", "it ends in a carriage return"],
      ["ff0a", "it has a newline at byte 1"],
    ]
  ) {
    for (const encode of ["frameBytes", "encode", "encodeParts"] as const) {
      const error = assertThrows(() => line()[encode](hex(message)), InvalidMessageError);
      assertEquals(error.message, `Cannot send message as a line: ${why}`);
    }
  }
});

Deno.test("line() sends CR, NUL and 0xFF where they do no harm", () => {
  for (
    const message of ["0d61", "610062", "0062", "00", "61000d62", "ff", "ff00", "0dff00", "ffff"]
  ) {
    const frame = line().encode(hex(message));
    assertEquals(frame.length, line().frameBytes(hex(message)));
    for (const chunks of everyTwoCuts(frame)) {
      assertEquals(decodeAll(line(), chunks), [hex(message)]);
    }
  }
});

Deno.test("line() doubles 0xFF on the wire, for telnet", () => {
  assertEquals(line().encode(hex("61ff62")), hex("61ffff62 0a"));
  assertEquals(line().frameBytes(hex("61ff62")), 5);
  assertEquals(concat(line().encodeParts(hex("61ff62"))), hex("61ffff62 0a"));
});

Deno.test("line({ telnet: false }) keeps every byte but the newline", () => {
  const plain = line({ telnet: false });
  for (const message of ["ff", "fffb01", "fffa18f0", "0d0061", "610d00", "00"]) {
    assertEquals(plain.encode(hex(message)), concat([hex(message), hex("0a")]));
    for (const chunks of everyTwoCuts(hex(message + "0d0a"))) {
      assertEquals(decodeAll(plain, chunks), [hex(message)]);
    }
  }
  assertThrows(() => plain.encode(hex("610a")), InvalidMessageError);
  assertThrows(() => plain.encode(hex("610d")), InvalidMessageError);
});

/** What a telnet sends (RFC 854 and 855), and the lines in it. */
const TELNET: Record<string, [stream: string, ...lines: string[]]> = {
  "DO": ["61 fffd01 62 0a", "6162"],
  "DONT": ["61 fffe01 62 0a", "6162"],
  "WILL": ["61 fffb01 62 0a", "6162"],
  "WONT": ["61 fffc01 62 0a", "6162"],
  "option code 10, which is no newline": ["61 fffb0a 62 0a", "6162"],
  "option code 13 before LF": ["61 fffd0d 0a", "61"],
  "option code 255": ["fffbff 61 0a", "61"],
  "SB … SE with LF in it": ["fffa18000a41fff0 6869 0a", "6869"],
  "SB … SE with a doubled 0xFF in it": ["fffa1fffff000afff0 78 0a", "78"],
  "SB … SE with 0xF0 in it": ["fffa1ff00afff0 78 0a", "78"],
  "SB … SE with another command in it": ["fffa18 fff1 0a fff0 78 0a", "78"],
  "commands of two bytes": ["fff1 61 fff4 62 fff6 fff9 0a", "6162"],
  "SE without SB": ["61 fff0 62 0a", "6162"],
  "interrupt and timing mark, as ^C sends": ["fff4fffd06 0d0a", ""],
  "a doubled 0xFF": ["61 ffff 62 0a", "61ff62"],
  "two doubled 0xFF": ["ffffffff 0a", "ffff"],
  "a doubled 0xFF before what would be an option": ["fffffb01 0a", "fffb01"],
  "CR NUL": ["61 0d00 62 0d00", "61", "62"],
  "CR LF": ["61 0d0a 62 0d0a", "61", "62"],
  "CR NUL, CR LF and LF": ["61 0d00 62 0d0a 63 0a 64 0d00", "61", "62", "63", "64"],
  "CR, a command, LF": ["61 0d fffb01 0a 62 0a", "61", "62"],
  "CR, a doubled 0xFF, NUL": ["61 0d ffff 00 0a", "610dff00"],
  "CR CR NUL": ["61 0d0d00", "610d"],
  "CR NUL NUL": ["61 0d00 00 0a", "61", "00"],
  "NUL without CR": ["61 00 62 0a 00 0a", "610062", "00"],
  "keys that erase, after a telnet in character mode has asked for it": [
    // What inetutils' telnet sends after `mode character`: hex DEL y BS l ^U hi ^W o.
    "fffd03 fffd01 686578 7f 79 08 6c 15 6869 17 6f 0d00  6f6b 7f0d00",
    "6f",
    "6f",
  ],
  "keys that erase, in a line that ends in CR NUL": ["6162 7f 63 0d00 6408 0a", "6163", ""],
  "keys that erase, after any command": ["fff1 6162 08 0d0a 617f7f7f62 0a", "61", "62"],
  "IAC EC and IAC EL": ["6162 fff7 63 0a 6162 fff8 63 0a fff7fff8 0a", "6163", "63", ""],
  "erased characters of two, three and four bytes": [
    "fffd01 61c3a4 7f e282ac 08 f09f9880 7f 62 0a 61ccb2 08 0a 8080808080 7f 0a",
    "6162",
    "61",
    "80",
  ],
  "erased words": [
    "fffd01 6162 2063 20 17 64 0a 612017 17 62 0a 20090917 0a",
    "61622064",
    "62",
    "",
  ],
  "other control characters in character mode": ["fffd01 61 01070b1b5b44 08 0a", "6101070b1b5b"],
  "keys that erase, before a telnet is known": ["6108 0a fffd01 6108 0a", "6108", ""],
  "keys that erase, known within the line": ["6108 fffd03 62 0a", "62"],
  "keys that erase, from others": ["61087f151762 0d0a 6108 0a", "61087f151762", "6108"],
  "keys that erase, after a doubled 0xFF": ["ffff 6108 0a", "ff6108"],
  "keys that erase, from a server, which shows what is typed": ["fffb01 6108 0a", "6108"],
  "the last line in character mode, without its end": ["fffd01 6162 7f", "61"],
  "the first bytes of Linux's telnet": [
    "fffd03 fffb18 fffb1f fffb20 fffb21 fffb22 fffb27 fffd05 68690d0a",
    "6869",
  ],
};

for (const [what, [stream, ...lines]] of Object.entries(TELNET)) {
  Deno.test(`line() understands telnet: ${what}`, () => {
    for (const chunks of [...everyTwoCuts(hex(stream)), byteByByte(hex(stream))]) {
      assertEquals(decodeAll(line(), chunks), lines.map(hex));
    }
  });
}

Deno.test("line() drops a telnet command that the end of the stream cuts", () => {
  for (const rest of ["ff", "fffb", "fffa", "fffa180041", "fffa18ff"]) {
    assertEquals(decodeAll(line(), [hex("610a" + rest)]), [hex("61")]);
    assertEquals(decodeAll(line(), [hex("61" + rest)]), [hex("61")]);
  }
});

Deno.test("line() does not count telnet's commands against the limit, and keeps none of them", () => {
  const decoder = line({ maxMessageBytes: 5 }).decoder();
  for (let i = 0; i < 1000; i++) decoder.decode(hex("fffb01 fffa18000afff0"));
  assertEquals(decoder.pendingBytes, 0);
  assertEquals(texts(decoder.decode(hex("48ffff454c4c 0a"))), ["H\ufffdELL"]);
  assertThrows(() => decoder.decode(hex("48ffff454c4c4f 0a")), MessageTooLargeError);
});

Deno.test("line() refuses every option that a telnet asks for or offers, and answers nothing else", () => {
  const asked = hex("fffd01 fffb18 fffc03 fffe05 fff4 fffd06 6869 0a fffa18 01 fff0");
  for (const chunks of [[asked], byteByByte(asked)]) {
    const decoder = line().decoder();
    const replies: number[] = [];
    for (const chunk of chunks) {
      decoder.decode(chunk);
      replies.push(...decoder.takeReply?.() ?? []);
    }
    assertEquals(new Uint8Array(replies), hex("fffc01 fffe18 fffc06"));
    assertEquals(decoder.takeReply?.(), undefined);
  }
  const flood = line().decoder();
  flood.decode(new Uint8Array(90_000).map((_, i) => [0xff, 0xfd, 1][i % 3]));
  assert(flood.takeReply!()!.length < 2000);
  assertEquals(line({ telnet: false }).decoder().takeReply?.(), undefined);
});
