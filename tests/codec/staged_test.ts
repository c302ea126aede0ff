/** `staged()`: the first messages have another framing than the rest. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  decode,
  duplex,
  EncoderStream,
  type Framing,
  framing,
  type FramingText,
  FramingTextError,
  lengthPrefix,
  line,
  MessageTooLargeError,
  none,
  staged,
  TruncatedMessageError,
  varint,
} from "../../codec.ts";
import { Connection, Shared } from "../../connection.ts";
import { memoryPair } from "../../testing.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { ascii, pattern } from "../support/raw.ts";

const startup = lengthPrefix({ includesHeader: true });
const typed = lengthPrefix({ offset: 1, adjustment: -4, strip: 0 });

const CASES: Record<string, { framing: Framing; messages: Uint8Array[] }> = {
  "PostgreSQL's startup": {
    framing: staged(startup, typed),
    messages: [pattern(20, 1), bytes(0x51, 0, 0, 0, 5, 0), bytes(0x58, 0, 0, 0, 4)],
  },
  "AMQP's header": {
    framing: staged(
      lengthPrefix({ bytes: 1, offset: 7, adjustment: -1, strip: 0 }),
      lengthPrefix({ offset: 3, adjustment: 1, strip: 0 }),
    ),
    messages: [
      bytes(...ascii("AMQP"), 0, 0, 9, 1),
      bytes(1, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xce),
    ],
  },
  "a line, then bytes that are no lines": {
    framing: staged(line(), framing("u8")),
    messages: [bytes(), bytes(0xff, 10, 13), pattern(255, 3), bytes()],
  },
  "frames that look too large in the first framing": {
    framing: staged(varint({ maxMessageBytes: 10 }), framing("u16be"), { messages: 3 }),
    messages: [bytes(1), bytes(), pattern(10, 1), pattern(0xffff, 2), bytes()],
  },
  "three stages": {
    framing: staged(framing("u8"), staged(line(), framing("u32le"), { messages: 2 })),
    messages: [bytes(10), bytes(65), bytes(), bytes(10, 10), bytes()],
  },
  "then without a framing": {
    framing: staged(framing("u16le"), none()),
    messages: [bytes(1, 2), bytes(0xff)],
  },
};

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** The frames, each by the framing that holds for it. */
function encodeAll(framing: Framing, messages: readonly Uint8Array[]): Uint8Array {
  return concat(messages.map((message, i) => (framing.after?.(i) ?? framing).encode(message)));
}

for (const [name, { framing, messages }] of Object.entries(CASES)) {
  Deno.test(`staged() gives the messages whatever the chunks are: ${name}`, () => {
    const stream = encodeAll(framing, messages);
    const step = Math.max(1, stream.length >> 9);
    for (let cut = 0; cut <= stream.length; cut += cut < 600 ? 1 : step) {
      const decoder = framing.decoder();
      const got = decoder.decode(stream.slice(0, cut));
      decoder.decode(stream.slice(cut), got);
      assertEquals(concat(decoder.end(got)), concat(messages), `cut at ${cut}`);
      assertEquals(decoder.pendingBytes, 0);
    }
    const decoder = framing.decoder();
    const got: Uint8Array[] = [];
    for (const byte of stream) decoder.decode(bytes(byte), got);
    assertEquals(decoder.end(got), messages);
  });

  Deno.test(`staged() is the same over a connection, both ways: ${name}`, async () => {
    const [a, b] = memoryPair().map((t) => new Connection(t, { framing }));
    for (const message of messages) a.send(message);
    for (const message of messages) b.send(new Shared(message));
    for (const connection of [a, b]) {
      for (const message of messages) assertEquals(await connection.receive(), message);
    }
    await Promise.all([a.close(), b.close()]);
  });

  Deno.test(`staged() can be switched off behind any message: ${name}`, async () => {
    for (let taken = 0; taken <= messages.length; taken++) {
      const transport = new FakeTransport({ endsInReply: true });
      await using connection = new Connection(transport, { framing });
      transport.arrive(encodeAll(framing, messages));
      transport.arrive(ascii("rest"));
      await turn();
      for (const message of messages.slice(0, taken)) {
        assertEquals(await connection.receive(), message);
      }
      connection.switchFraming("none");
      transport.end();
      const rest = (framing.after!(taken) as Framing).after === undefined && taken > 0
        ? messages.slice(taken).map((m) => framing.after!(taken).encode(m))
        : [encodeAll(framing, messages).slice(encodeAll(framing, messages.slice(0, taken)).length)];
      assertEquals(
        concat(await connection.receiveAll()),
        concat([...rest, bytes(...ascii("rest"))]),
      );
    }
  });
}

Deno.test("staged() tells errors of the first framing, and of the second one where they are", () => {
  const decoder = staged(framing("u8").withLimit(3), framing("u8").withLimit(5)).decoder();
  const got: Uint8Array[] = [];
  assertThrows(
    () => decoder.decode(bytes(3, 1, 2, 3, 5, 1, 2, 3, 4, 5, 6), got),
    MessageTooLargeError,
    "limit is 5",
  );
  assertEquals(got.length, 2);
  const early = staged(framing("u8").withLimit(3), framing("u8")).decoder();
  assertThrows(() => early.decode(bytes(4)), MessageTooLargeError, "limit is 3");
  assertThrows(() => early.decode(bytes(1)), MessageTooLargeError, "limit is 3");
  const cut = staged(framing("u8"), line()).decoder();
  cut.decode(bytes(2, 1));
  assertThrows(() => cut.end(), TruncatedMessageError);
});

Deno.test("staged() has a limit for both, which withLimit() lowers", () => {
  const both = staged(framing("u8"), line()).withLimit(4);
  assertEquals(both.maxMessageBytes, 4);
  assertThrows(() => both.decoder().decode(bytes(5)), MessageTooLargeError);
  assertThrows(
    () => both.decoder().decode(bytes(0, ...ascii("12345\n"))),
    MessageTooLargeError,
  );
});

Deno.test("staged().after() is the framing of later messages", () => {
  const three = staged(framing("u8"), framing("u16be"), { messages: 3 });
  assertEquals([0, 1, 2, 3, 9].map((n) => three.after!(n).name), [
    "staged(u8,u16be,messages:3)",
    "staged(u8,u16be,messages:2)",
    "staged(u8,u16be)",
    "u16be",
    "u16be",
  ]);
  const both = duplex({ in: line(), out: three });
  assertEquals(both.after!(3).name, "duplex(in:line,out:u16be)");
  assertEquals(three.encodeHeader!(bytes(1, 2)), bytes(2));
  assertEquals(three.encodeParts(bytes(1)), [bytes(1), bytes(1)]);
  assertEquals(three.frameBytes(bytes(1)), 2);
});

Deno.test("EncoderStream and decode() follow staged()", async () => {
  const { framing, messages } = CASES["three stages"];
  const chunks = ReadableStream.from(messages).pipeThrough(new EncoderStream(framing));
  assertEquals(await Array.fromAsync(decode(chunks, framing)), messages);
});

Deno.test("staged() refuses what it cannot be made of", () => {
  assertThrows(() => staged(none(), line()), TypeError, "keeps no boundaries");
  assertThrows(() => staged(staged(line(), line()), line()), TypeError, "it changes itself");
  assertThrows(() => staged(line(), line(), { messages: 0 }), RangeError, "messages 0");
  assertThrows(() => staged(line(), {} as Framing), TypeError, "then [object Object]");
});

Deno.test("staged() is refused by sessions", async () => {
  const { connect } = await import("../../client.ts");
  const { listen } = await import("../../server.ts");
  await using server = await listen("127.0.0.1:0", { session: true }, () => {});
  await assertRejects(
    () =>
      connect(server.endpoints[0].replace("framing=u32be&", ""), {
        session: true,
        framing: staged(line(), framing("u8")),
      }),
    TypeError,
    "it changes",
  );
});

Deno.test("staged() and duplex() are made of text, and their name is that text", () => {
  const texts: [text: FramingText, name?: string][] = [
    ["staged(u8,u16be,messages:2)"],
    ["staged( fixed(8) , length(offset:3,adjustment:1,strip:0) )"],
    ["staged(line,staged(u8,u32le),messages:3)"],
    ["duplex(in:line(telnet:false),out:u16be)"],
    ["duplex(out:u8,in:delimiter(00))", "duplex(in:delimiter(00),out:u8)"],
    ["duplex(in:staged(u8,u16be),out:u8)"],
  ];
  for (const [text, name = text.replaceAll(" ", "")] of texts) {
    const made = framing(text);
    assertEquals(made.name, name);
    assertEquals(framing(made.name as FramingText).name, name);
    assertEquals(framing(text, { maxMessageBytes: 100 }).maxMessageBytes, 100);
  }
  for (
    const [text, words] of [
      ["staged(u8)", "must be two"],
      ["staged(u8,u8,u8)", "must be two"],
      ["staged", "lacks its framings"],
      ["staged(none,u8)", "keeps no boundaries"],
      ["duplex(in:u8)", "lacks its out"],
      ["duplex(u8,u8)", "at column"],
      ["staged(u8,u61be)", 'the nearest is "u16be"'],
    ] as const
  ) assertThrows(() => framing(text as FramingText), FramingTextError, words);
});
