import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  framing,
  FRAMING_NAMES,
  type FramingName,
  line,
  MessageTooLargeError,
  none,
  TruncatedMessageError,
} from "../../codec.ts";
import {
  allocatedBytes,
  byteByByte,
  cutAt,
  decodeAll,
  everyCut,
  everyTwoCuts,
  hex,
  outcomeOf,
  texts,
  utf8,
} from "../support/bytes.ts";

/** The frames of "HELLO", of the empty message, of "hi", and of "HELLO!", which is one too long. */
interface Row {
  hello: string;
  empty: string;
  hi: string;
  above: string;
  headerBytes: number;
}

const GRID: Record<Exclude<FramingName, "none">, Row> = {
  u8: {
    hello: "05 48454c4c4f",
    empty: "00",
    hi: "02 6869",
    above: "06 48454c4c4f21",
    headerBytes: 1,
  },
  u16be: {
    hello: "0005 48454c4c4f",
    empty: "0000",
    hi: "0002 6869",
    above: "0006 48454c4c4f21",
    headerBytes: 2,
  },
  u16le: {
    hello: "0500 48454c4c4f",
    empty: "0000",
    hi: "0200 6869",
    above: "0600 48454c4c4f21",
    headerBytes: 2,
  },
  u24be: {
    hello: "000005 48454c4c4f",
    empty: "000000",
    hi: "000002 6869",
    above: "000006 48454c4c4f21",
    headerBytes: 3,
  },
  u32be: {
    hello: "00000005 48454c4c4f",
    empty: "00000000",
    hi: "00000002 6869",
    above: "00000006 48454c4c4f21",
    headerBytes: 4,
  },
  u32le: {
    hello: "05000000 48454c4c4f",
    empty: "00000000",
    hi: "02000000 6869",
    above: "06000000 48454c4c4f21",
    headerBytes: 4,
  },
  u64be: {
    hello: "0000000000000005 48454c4c4f",
    empty: "0000000000000000",
    hi: "0000000000000002 6869",
    above: "0000000000000006 48454c4c4f21",
    headerBytes: 8,
  },
  varint: {
    hello: "05 48454c4c4f",
    empty: "00",
    hi: "02 6869",
    above: "06 48454c4c4f21",
    headerBytes: 1,
  },
  line: {
    hello: "48454c4c4f 0a",
    empty: "0a",
    hi: "6869 0a",
    above: "48454c4c4f21 0a",
    headerBytes: 0,
  },
};

for (const name of Object.keys(GRID) as (keyof typeof GRID)[]) {
  const row = GRID[name];
  const isLine = name === "line";
  const manyTexts = ["HELLO", "", "hi", "HELLO", ""];
  const many = hex(row.hello + row.empty + row.hi + row.hello + row.empty);

  Deno.test(`framing("${name}") encodes to the documented bytes`, () => {
    for (const [text, frame] of [["HELLO", row.hello], ["", row.empty], ["hi", row.hi]]) {
      const message = utf8(text);
      const expected = hex(frame);
      assertEquals(framing(name).encode(message), expected);
      assertEquals(framing(name).frameBytes(message), expected.length);
      assertEquals(concat(framing(name).encodeParts(message)), expected);
    }
  });

  Deno.test(`framing("${name}").encodeInto() writes the frame at its place and nothing else`, () => {
    const frame = hex(row.hello);
    const target = new Uint8Array(3 + frame.length + 3).fill(0xee);
    assertEquals(framing(name).encodeInto(utf8("HELLO"), target, 3), 3 + frame.length);
    assertEquals(target, concat([hex("eeeeee"), frame, hex("eeeeee")]));
  });

  Deno.test(`framing("${name}") decodes one message in one chunk`, () => {
    const decoder = framing(name).decoder();
    assertEquals(texts(decoder.decode(hex(row.hello))), ["HELLO"]);
    assertEquals(decoder.pendingBytes, 0);
    assertEquals(decoder.end(), []);
  });

  Deno.test(`framing("${name}") decodes an empty message, alone and one by one byte`, () => {
    assertEquals(texts(decodeAll(framing(name), [hex(row.empty)])), [""]);
    assertEquals(texts(decodeAll(framing(name), byteByByte(hex(row.empty)))), [""]);
  });

  Deno.test(`framing("${name}") decodes one message in many chunks, at every cut`, () => {
    const frame = hex(row.hello);
    for (const chunks of [...everyTwoCuts(frame), byteByByte(frame)]) {
      assertEquals(texts(decodeAll(framing(name), chunks)), ["HELLO"]);
    }
  });

  Deno.test(`framing("${name}") decodes many messages in one chunk`, () => {
    assertEquals(texts(framing(name).decoder().decode(many)), manyTexts);
  });

  Deno.test(`framing("${name}") decodes many messages in many chunks, at every cut`, () => {
    for (const chunks of [...everyTwoCuts(many), byteByByte(many)]) {
      assertEquals(texts(decodeAll(framing(name), chunks)), manyTexts);
    }
  });

  Deno.test(`framing("${name}") takes a message at the limit and refuses one above it`, () => {
    const limited = framing(name, { maxMessageBytes: 5 });
    for (const chunks of [...everyCut(hex(row.hello)), byteByByte(hex(row.hello))]) {
      assertEquals(texts(decodeAll(limited, chunks)), ["HELLO"]);
    }
    for (const chunks of [...everyCut(hex(row.above)), byteByByte(hex(row.above))]) {
      const error = assertThrows(() => decodeAll(limited, chunks), MessageTooLargeError);
      assertEquals([error.size, error.limit], [6, 5]);
    }
  });

  Deno.test(`framing("${name}") takes only empty messages when the limit is 0`, () => {
    const limited = framing(name, { maxMessageBytes: 0 });
    assertEquals(texts(decodeAll(limited, [hex(row.empty), hex(row.empty)])), ["", ""]);
    assertThrows(() => decodeAll(limited, [hex(row.hi)]), MessageTooLargeError);
  });

  Deno.test(`framing("${name}") hands over the messages before an error in the same chunk`, () => {
    const decoder = framing(name, { maxMessageBytes: 5 }).decoder();
    const messages = [utf8("earlier")];
    const chunk = hex(row.hello + row.hi + row.above + row.hi);
    const error = assertThrows(() => decoder.decode(chunk, messages), MessageTooLargeError);
    assertEquals(texts(messages), ["earlier", "HELLO", "hi"]);

    assertStrictEquals(assertThrows(() => decoder.decode(hex(row.hi), messages)), error);
    assertStrictEquals(assertThrows(() => decoder.decode(hex(""), messages)), error);
    assertStrictEquals(assertThrows(() => decoder.end(messages)), error);
    assertEquals(texts(messages), ["earlier", "HELLO", "hi"]);
  });

  Deno.test(`framing("${name}") hands over a message that a chunk ends before an error in it`, () => {
    const [start, rest] = cutAt(hex(row.hello + row.above), 4);
    const { messages, error } = outcomeOf(framing(name, { maxMessageBytes: 5 }).decoder(), [
      start,
      rest,
    ]);
    assertEquals(texts(messages), ["HELLO"]);
    assert(error instanceof MessageTooLargeError);
  });

  Deno.test(`framing("${name}") says how many bytes of an unfinished frame have arrived`, () => {
    const frame = hex(row.hello);
    const decoder = framing(name).decoder();
    for (let at = 0; at < frame.length - 1; at++) {
      assertEquals(decoder.pendingBytes, at);
      assertEquals(decoder.decode(frame.slice(at, at + 1)), []);
      assertEquals(decoder.decode(hex("")), []);
    }
    decoder.decode(frame.slice(-1));
    assertEquals(decoder.pendingBytes, 0);
  });

  Deno.test(`framing("${name}") hands over views of a chunk, and copies what straddles two`, () => {
    const chunk = hex(row.hello + row.hi);
    const allocated = allocatedBytes(() => {
      const [hello, hi] = framing(name).decoder().decode(chunk);
      assertStrictEquals(hello.buffer, chunk.buffer);
      assertStrictEquals(hi.buffer, chunk.buffer);
    });
    assert(allocated <= 16, `${allocated} bytes`); // room for the longest header

    const [start, rest] = cutAt(chunk, 4);
    const [hello, hi] = decodeAll(framing(name), [start, rest]);
    assert(hello.buffer !== start.buffer && hello.buffer !== rest.buffer);
    assertStrictEquals(hi.buffer, rest.buffer);
  });

  Deno.test(`framing("${name}") gives one array for all empty messages`, () => {
    const chunk = concat(Array.from({ length: 1000 }, () => hex(row.empty)));
    const messages = framing(name).decoder().decode(chunk);
    assertEquals(messages.length, 1000);
    assertEquals(new Set(messages).size, 1);
    const [straddling] = decodeAll(framing(name), byteByByte(hex(row.empty)));
    assertStrictEquals(straddling, messages[0]);
  });

  Deno.test(`framing("${name}").encodeParts() does not copy the message`, () => {
    const message = utf8("HELLO");
    assert(framing(name).encodeParts(message).includes(message));
  });

  if (isLine) continue;

  Deno.test(`framing("${name}") refuses a length above the limit from the header alone`, () => {
    const header = hex(row.above).subarray(0, row.headerBytes);
    const limited = framing(name, { maxMessageBytes: 5 });
    for (const chunks of [...everyCut(header), byteByByte(header)]) {
      const decoder = limited.decoder();
      const error = assertThrows(
        () => chunks.forEach((chunk) => decoder.decode(chunk)),
        MessageTooLargeError,
      );
      assertEquals([error.size, error.limit], [6, 5]);
    }
  });

  Deno.test(`framing("${name}") says exactly what is missing at the end, at every cut`, () => {
    const frame = hex(row.hello);
    for (let at = 1; at < frame.length; at++) {
      const part = at < row.headerBytes ? "header" : "body";
      const missing = at < row.headerBytes ? row.headerBytes - at : frame.length - at;
      for (const chunks of [[frame.slice(0, at)], byteByByte(frame.slice(0, at))]) {
        const { messages, error } = outcomeOf(framing(name).decoder(), [hex(row.hi), ...chunks]);
        assertEquals(texts(messages), ["hi"]);
        assert(error instanceof TruncatedMessageError);
        assertEquals([error.received, error.missing], [at, missing]);
        assertEquals(
          error.message,
          `Cannot receive message: stream ended in its ${part}, ${missing} bytes missing after ${at}`,
        );
      }
    }
  });

  Deno.test(`framing("${name}") is spent after the end of the stream inside a message`, () => {
    const decoder = framing(name).decoder();
    decoder.decode(hex(row.hello).slice(0, -1));
    const error = assertThrows(() => decoder.end(), TruncatedMessageError);
    assertStrictEquals(assertThrows(() => decoder.end()), error);
    assertStrictEquals(assertThrows(() => decoder.decode(hex(row.hi))), error);
  });
}

Deno.test("framing() knows ten names, in the order of the documentation", () => {
  assertEquals(FRAMING_NAMES, [
    "u8",
    "u16be",
    "u16le",
    "u24be",
    "u32be",
    "u32le",
    "u64be",
    "varint",
    "line",
    "none",
  ]);
  for (const name of FRAMING_NAMES) assertEquals(framing(name).name, name);
});

Deno.test("Framing.withLimit() changes the limit and nothing else", () => {
  for (const name of FRAMING_NAMES) {
    const limited = framing(name).withLimit(3);
    assertEquals([limited.name, limited.maxMessageBytes], [name, 3]);
    assertEquals(limited.encode(utf8("hi")), framing(name).encode(utf8("hi")));
  }
  const odd = line({ newline: "\r\n", telnet: false }).withLimit(3);
  assertEquals(odd.encode(hex("ff")), hex("ff 0d0a"));
  assertEquals(framing("u8").withLimit(1_048_576).maxMessageBytes, 255);
  assertEquals(framing("u32be").maxMessageBytes, 16_777_216);
  assertEquals(framing("u24be").maxMessageBytes, 16_777_215);
});

Deno.test('framing("none") hands over each chunk as it came, and nothing for an empty one', () => {
  const decoder = none().decoder();
  const chunk = hex("48454c4c4f");
  assertStrictEquals(decoder.decode(chunk)[0].buffer, chunk.buffer);
  assertEquals(texts(decoder.decode(utf8("hi"))), ["hi"]);
  assertEquals(decoder.decode(hex("")), []);
  assertEquals(decoder.pendingBytes, 0);
  assertEquals(decoder.end(), []);
  assertEquals(none().keepsBoundaries, false);
});

Deno.test('framing("none") loses no byte at any cut', () => {
  for (const chunks of everyTwoCuts(utf8("HELLO\n\xff"))) {
    assertEquals(concat(decodeAll(none(), chunks)), utf8("HELLO\n\xff"));
  }
});

Deno.test('framing("none") hands over a chunk above the limit in pieces', () => {
  const decoder = none({ maxMessageBytes: 5 }).decoder();
  assertEquals(texts(decoder.decode(utf8("HELLO"))), ["HELLO"]);
  assertEquals(texts(decoder.decode(utf8("HELLO!"))), ["HELLO", "!"]);
  assertEquals(texts(decoder.decode(utf8("HELLOHELLOhi"))), ["HELLO", "HELLO", "hi"]);
});

Deno.test('framing("none") adds nothing to what is sent', () => {
  assertEquals(none().encode(utf8("HELLO")), utf8("HELLO"));
  assertEquals(none().frameBytes(utf8("HELLO")), 5);
  assertEquals(none().encode(utf8("")), hex(""));
  assertEquals(concat(none().encodeParts(utf8("HELLO"))), utf8("HELLO"));
});
