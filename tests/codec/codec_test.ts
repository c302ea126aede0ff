import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  framing,
  FRAMING_KINDS,
  FRAMING_NAMES,
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
import { emptyFrameOf, KINDS, NOT_IN_GRID, streamOf } from "./kinds.ts";

for (const row of KINDS) {
  const { text, frames, headerBytes, except = {} } = row;
  const [[first, firstFrame]] = frames;
  const { messages, stream } = streamOf(row);
  const nothing = emptyFrameOf(row);
  const limit = row.above.limit ?? first.length;
  const fitting = frames.filter(([message]) => message.length <= limit);
  const above = hex(row.above.frame);

  Deno.test(`framing("${text}") has this name, and is what its function makes`, () => {
    assertEquals(framing(text).name, text);
    assertEquals(row.make().name, text);
    for (const [message] of frames) {
      assertEquals(row.make().encode(message), framing(text).encode(message));
    }
  });

  Deno.test(`framing("${text}") encodes to the documented bytes`, () => {
    for (const [message, frame] of frames) {
      const expected = hex(frame);
      assertEquals(framing(text).encode(message), expected);
      assertEquals(framing(text).frameBytes(message), expected.length);
      assertEquals(concat(framing(text).encodeParts(message)), expected);
    }
  });

  Deno.test(`framing("${text}").encodeInto() writes the frame at its place and nothing else`, () => {
    const frame = hex(firstFrame);
    const target = new Uint8Array(3 + frame.length + 3).fill(0xee);
    assertEquals(framing(text).encodeInto(first, target, 3), 3 + frame.length);
    assertEquals(target, concat([hex("eeeeee"), frame, hex("eeeeee")]));
  });

  Deno.test(`framing("${text}") decodes one message in one chunk`, () => {
    for (const [message, frame] of frames) {
      const decoder = framing(text).decoder();
      assertEquals(decoder.decode(hex(frame)), [message]);
      assertEquals(decoder.pendingBytes, 0);
      assertEquals(decoder.end(), []);
    }
  });

  Deno.test(`framing("${text}") decodes one message in many chunks, at every cut`, () => {
    for (const [message, frame] of frames) {
      for (const chunks of [...everyTwoCuts(hex(frame)), byteByByte(hex(frame))]) {
        assertEquals(decodeAll(framing(text), chunks), [message]);
      }
    }
  });

  Deno.test(`framing("${text}") decodes many messages in one chunk`, () => {
    assertEquals(framing(text).decoder().decode(stream.slice()), messages);
  });

  Deno.test(`framing("${text}") decodes many messages in many chunks, at every cut`, () => {
    for (const chunks of [...everyTwoCuts(stream), byteByByte(stream)]) {
      assertEquals(decodeAll(framing(text), chunks), messages);
    }
  });

  Deno.test(`framing("${text}") takes a message at the limit and refuses one above it`, () => {
    const limited = framing(text).withLimit(limit);
    const [message, frame] = fitting[0] ?? frames[0];
    for (const chunks of [...everyCut(hex(frame)), byteByByte(hex(frame))]) {
      if (message.length > limit) break; // It has messages of one size only.
      assertEquals(decodeAll(limited, chunks), [message]);
    }
    for (const chunks of [...everyCut(above), byteByByte(above)]) {
      const error = assertThrows(() => decodeAll(limited, chunks), MessageTooLargeError);
      assertEquals([error.size, error.limit], [limit + 1, limit]);
    }
  });

  Deno.test(`framing("${text}") takes at most empty messages when the limit is 0`, () => {
    const limited = framing(text).withLimit(0);
    if (nothing !== undefined) {
      assertEquals(decodeAll(limited, [nothing, nothing]), [first.slice(0, 0), first.slice(0, 0)]);
    }
    assertThrows(() => decodeAll(limited, [hex(firstFrame)]), MessageTooLargeError);
  });

  Deno.test(`framing("${text}") hands over the messages before an error in the same chunk`, () => {
    const decoder = framing(text).withLimit(limit).decoder();
    const received = [utf8("earlier")];
    const good = concat(fitting.map(([_, frame]) => hex(frame)));
    const expected = [utf8("earlier"), ...fitting.map(([message]) => message)];
    const chunk = concat([good, above, good]);
    const error = assertThrows(() => decoder.decode(chunk, received), MessageTooLargeError);
    assertEquals(received, expected);

    assertStrictEquals(assertThrows(() => decoder.decode(good, received)), error);
    assertStrictEquals(assertThrows(() => decoder.decode(hex(""), received)), error);
    assertStrictEquals(assertThrows(() => decoder.end(received)), error);
    assertEquals(received, expected);
    assertEquals(decoder.pendingBytes, 0);
  });

  Deno.test(`framing("${text}") hands over a message that a chunk ends before an error in it`, () => {
    const chunks = cutAt(concat([...fitting.map(([_, frame]) => hex(frame)), above]), 1);
    const { messages, error } = outcomeOf(framing(text).withLimit(limit).decoder(), chunks);
    assertEquals(messages, fitting.map(([message]) => message));
    assert(error instanceof MessageTooLargeError);
  });

  Deno.test(`framing("${text}") says how many bytes of an unfinished frame have arrived`, () => {
    if (except["last byte"] !== undefined) return;
    const frame = hex(firstFrame);
    const decoder = framing(text).decoder();
    for (let at = 0; at < frame.length - 1; at++) {
      assertEquals(decoder.pendingBytes, at);
      assertEquals(decoder.decode(frame.slice(at, at + 1)), []);
      assertEquals(decoder.decode(hex("")), []);
    }
    decoder.decode(frame.slice(-1));
    assertEquals(decoder.pendingBytes, 0);
  });

  Deno.test(`framing("${text}") hands over views of a chunk, and copies what straddles two`, () => {
    if (except.views !== undefined) return;
    const whole = frames.filter(([message]) => message.length > 0);
    const stream = hex(whole.map(([_, frame]) => frame).join("").repeat(2));
    const chunk = stream.slice(); // The decoder may change it.
    const allocated = allocatedBytes(() => {
      for (const message of framing(text).decoder().decode(chunk)) {
        assertStrictEquals(message.buffer, chunk.buffer);
      }
    });
    assert(allocated <= 16, `${allocated} bytes`); // room for the longest header

    const [start, rest] = cutAt(stream, hex(firstFrame).length - 1);
    const [straddling, ...others] = decodeAll(framing(text), [start, rest]);
    const isCopied = straddling.buffer !== start.buffer && straddling.buffer !== rest.buffer;
    assert(isCopied || start.subarray(-first.length).every((byte, i) => byte === first[i]));
    assert(others.every((message) => message.buffer === rest.buffer));
  });

  Deno.test(`framing("${text}") gives one array for all empty messages`, () => {
    if (nothing === undefined) return;
    const chunk = concat(Array.from({ length: 1000 }, () => nothing));
    const received = framing(text).decoder().decode(chunk);
    assertEquals(received.length, 1000);
    assertEquals(new Set(received).size, 1);
    const [straddling] = decodeAll(framing(text), byteByByte(nothing));
    assertStrictEquals(straddling, received[0]);
  });

  Deno.test(`framing("${text}").encodeParts() does not copy the message`, () => {
    if (except.parts !== undefined) return;
    assert(framing(text).encodeParts(first).includes(first));
  });

  Deno.test(`framing("${text}").withLimit() changes the limit and nothing else`, () => {
    const limited = framing(text).withLimit(first.length);
    assertEquals([limited.name, limited.maxMessageBytes], [text, first.length]);
    assertEquals(limited.encode(first), framing(text).encode(first));
    assertEquals(limited.isSelective, framing(text).isSelective);
  });

  if (except.truncated === undefined) {
    Deno.test(`framing("${text}") says that the stream ended inside a frame, at every cut`, () => {
      const frame = hex(firstFrame);
      const [last, lastFrame] = frames[frames.length - 1];
      for (let at = 1; at < frame.length; at++) {
        for (const chunks of [[frame.slice(0, at)], byteByByte(frame.slice(0, at))]) {
          const decoder = framing(text).decoder();
          const { messages, error } = outcomeOf(decoder, [hex(lastFrame), ...chunks]);
          assertEquals(messages, [last]);
          assert(error instanceof TruncatedMessageError);
          assertEquals(error.received, at);
          assert(error.missing > 0 && error.missing <= frame.length - at, `${error.missing}`);
          assertEquals(decoder.pendingBytes, 0);
        }
      }
    });

    Deno.test(`framing("${text}") is spent after the end of the stream inside a message`, () => {
      const decoder = framing(text).decoder();
      decoder.decode(hex(firstFrame).slice(0, -1));
      const error = assertThrows(() => decoder.end(), TruncatedMessageError);
      assertStrictEquals(assertThrows(() => decoder.end()), error);
      assertStrictEquals(assertThrows(() => decoder.decode(hex(firstFrame))), error);
    });
  }

  if (headerBytes === undefined) continue;

  Deno.test(`framing("${text}") refuses a length above the limit from the header alone`, () => {
    const header = above.slice(0, headerBytes);
    const limited = framing(text).withLimit(limit);
    for (const chunks of [...everyCut(header), byteByByte(header)]) {
      const decoder = limited.decoder();
      const error = assertThrows(
        () => chunks.forEach((chunk) => decoder.decode(chunk)),
        MessageTooLargeError,
      );
      assertEquals([error.size, error.limit], [limit + 1, limit]);
    }
  });

  Deno.test(`framing("${text}") says exactly what is missing of a body, at every cut`, () => {
    const frame = hex(firstFrame);
    for (let at = headerBytes; at < frame.length; at++) {
      const missing = frame.length - at;
      for (const chunks of [[frame.slice(0, at)], byteByByte(frame.slice(0, at))]) {
        const { error } = outcomeOf(framing(text).decoder(), chunks);
        assert(error instanceof TruncatedMessageError);
        assertEquals(
          error.message,
          `Cannot receive message: stream ended in its body, ${missing} bytes missing after ${at}`,
        );
      }
    }
  });
}

Deno.test("Every kind of framing is in the grid, or there is a reason", () => {
  const kinds = new Set(KINDS.map(({ text }) => /^\w+/.exec(text)![0]));
  // The names u8, u16be and so on are of the kind length.
  const missing = FRAMING_KINDS.filter((kind) => !kinds.has(kind) && !(kind in NOT_IN_GRID));
  assertEquals(missing, []);
  for (const name of FRAMING_NAMES) assert(kinds.has(name) || name in NOT_IN_GRID, name);
});

Deno.test("framing() says exactly what is missing of a header of fixed width, at every cut", () => {
  for (const name of FRAMING_NAMES.filter((name) => /^u\d/.test(name))) {
    const frame = framing(name).encode(utf8("HELLO"));
    const headerBytes = frame.length - 5;
    for (let at = 1; at < headerBytes; at++) {
      const { error } = outcomeOf(framing(name).decoder(), [frame.slice(0, at)]);
      assertEquals(
        (error as Error).message,
        `Cannot receive message: stream ended in its header, ${
          headerBytes - at
        } bytes missing after ${at}`,
      );
    }
  }
});

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
