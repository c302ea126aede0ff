import { assert, assertEquals, assertInstanceOf, assertLess, assertThrows } from "@std/assert";
import { concat, equals } from "@std/bytes";
import fc from "fast-check";
import type { EndInfo } from "../../codec.ts";
import {
  ConnectionLostError,
  InvalidLengthError,
  InvalidMessageError,
  MessageTooLargeError,
  ProtocolError,
  TruncatedMessageError,
} from "../../errors.ts";
import { SHARED_BLOCKS } from "../../internal/memory.ts";
import { WebSocketDecoder } from "../../transport/websocket/decoder.ts";
import { webSocketFraming } from "../../transport/websocket/framing.ts";
import {
  allocatedBytes,
  byteByByte,
  cutAt,
  everyCut,
  everyTwoCuts,
  hex,
  texts,
  utf8,
} from "../support/bytes.ts";

/** What clients decode, and servers encode: nothing is masked. */
const server = webSocketFraming({ masks: false });
/** What servers decode, and clients encode. */
const client = webSocketFraming({ masks: true });

/** What a client makes of a stream: messages, the answers that it owes, and its end or error. */
function outcome(digits: string | Uint8Array[], framing = client) {
  const chunks = typeof digits === "string" ? [hex(digits)] : digits;
  const decoder = framing.decoder();
  const messages: Uint8Array[] = [];
  const replies: Uint8Array[] = [];
  try {
    for (const chunk of chunks) {
      decoder.decode(chunk, messages);
      const reply = decoder.takeReply!();
      if (reply !== undefined) replies.push(reply);
    }
    decoder.end(messages);
    return { messages: texts(messages), replies, ended: decoder.ended };
  } catch (error) {
    return { messages: texts(messages), replies, error: error as Error };
  }
}

/** A frame's body, unmasked. */
function unmasked(frame: Uint8Array): Uint8Array {
  const length = frame[1] & 0x7f;
  const start = length < 126 ? 2 : length === 126 ? 4 : 10;
  const key = frame.subarray(start, start + 4);
  return frame.slice(start + 4).map((byte, i) => byte ^ key[i % 4]);
}

/** A frame as a client would write it, with this key. */
function masked(first: number, body: Uint8Array, key = [0x37, 0xfa, 0x21, 0x3d]): Uint8Array {
  const header = body.length < 126
    ? [first, 0x80 | body.length]
    : [first, 0xfe, body.length >> 8, body.length & 0xff];
  return concat([
    Uint8Array.from(header),
    Uint8Array.from(key),
    body.map((byte, i) => byte ^ key[i % 4]),
  ]);
}

const CLOSE_NORMAL = "8802 03e8";

Deno.test("webSocketFraming() writes the frames of RFC 6455, section 5.7", () => {
  assertEquals(server.encode(utf8("Hello"), true), hex("8105 48656c6c6f"));
  assertEquals(server.encode(utf8("Hello")), hex("8205 48656c6c6f"));
  assertEquals(server.encode(new Uint8Array(0), true), hex("8100"));
  assertEquals(server.encode(new Uint8Array(256)).subarray(0, 4), hex("827e0100"));
  const long = server.encode(new Uint8Array(65_536));
  assertEquals(long.subarray(0, 10), hex("827f0000000000010000"));
  assertEquals(long.length, 65_546);
});

Deno.test("webSocketFraming() reads the frames of RFC 6455, section 5.7", () => {
  assertEquals(outcome(`8105 48656c6c6f ${CLOSE_NORMAL}`).messages, ["Hello"]);
  assertEquals(outcome(`0103 48656c 8002 6c6f ${CLOSE_NORMAL}`).messages, ["Hello"]);
  const { messages, replies } = outcome(`8905 48656c6c6f ${CLOSE_NORMAL}`);
  assertEquals([messages, replies], [[], []], "nothing is answered after a Close frame");
  const decoder = server.decoder();
  assertEquals(texts(decoder.decode(hex("8185 37fa213d 7f9f4d5158"))), ["Hello"]);
});

Deno.test("Framing.frameBytes() is the length of the frame, at each width of the length", () => {
  for (const framing of [server, client]) {
    for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
      const message = new Uint8Array(size).fill(7);
      const bytes = framing.frameBytes(message);
      assertEquals(framing.encode(message).length, bytes);
      assertEquals(concat(framing.encodeParts(message)).length, bytes);
      const target = new Uint8Array(bytes + 10);
      assertEquals(framing.encodeInto(message, target, 5), bytes + 5);
      assertEquals([target[4], target[bytes + 5]], [0, 0]);
    }
  }
});

Deno.test("Framing.encodeParts() does not copy what a server sends", () => {
  const message = new Uint8Array(100_000);
  const [header, body] = server.encodeParts(message, true);
  assertEquals(header, hex("817f00000000000186a0"));
  assert(body === message);
  assertEquals(server.encodeHeader!(message, true), header);
  assertEquals(client.encodeHeader!(message), undefined, "what is masked is no message as it is");
});

Deno.test("Framing.encode() of a client masks a copy, with another key each time", () => {
  const message = utf8("a message that is longer than a few words, so that words are masked");
  const before = message.slice();
  const frames = Array.from({ length: 3000 }, () => client.encode(message));
  assertEquals(message, before);
  for (const frame of frames) assertEquals(unmasked(frame), message);
  const keys = new Set(frames.map((frame) => frame.slice(2, 6).join()));
  assert(keys.size > 2990, `${keys.size} keys in 3000 frames`);
});

Deno.test("Decoder.decode() unmasks at every offset and every length", () => {
  for (let offset = 0; offset < 9; offset++) {
    for (let length = 0; length < 125; length++) {
      const body = Uint8Array.from({ length }, (_, i) => 3 * i + offset);
      const frame = masked(0x82, body);
      const memory = new Uint8Array(offset + frame.length);
      memory.set(frame, offset);
      assertEquals(server.decoder().decode(memory.subarray(offset)), [body]);
    }
  }
});

Deno.test("Decoder.decode() gives back messages, wherever the stream is cut once or twice", () => {
  const body = utf8(
    "grüße, 你好, \u{1f600} and more than a hundred and twenty-five bytes ".repeat(2),
  );
  const stream = concat([
    masked(0x82, hex("00ff10")),
    masked(0x01, body.subarray(0, 2)),
    masked(0x89, utf8("ping")),
    masked(0x00, body.subarray(2, 9)),
    masked(0x00, new Uint8Array(0)),
    masked(0x80, body.subarray(9)),
    masked(0x81, new Uint8Array(0)),
    masked(0x8a, utf8("pong")),
    masked(0x81, body),
    masked(0x88, hex("03e9 627965")),
  ]);
  const expected = texts([hex("00ff10"), body, new Uint8Array(0), body]);
  const ways = [...everyCut(stream), byteByByte(stream)];
  for (const chunks of ways) {
    const { messages, replies, ended, error } = outcome(chunks, server);
    assertEquals(error, undefined);
    assertEquals(messages, expected);
    assertEquals(ended, { code: 1001, reason: "bye" });
    assert(replies.length <= 1);
    for (const reply of replies) assertEquals(reply, hex("8a04 70696e67"));
  }
  const short = stream.subarray(0, 60);
  for (const chunks of everyTwoCuts(short)) {
    const decoder = server.decoder();
    const count = chunks.flatMap((chunk) => decoder.decode(chunk)).length;
    assertEquals(count, 1);
    assertEquals(decoder.pendingBytes, 60 - 9 - 10, "without the message before and the ping");
  }
});

Deno.test("webSocketFraming() carries any messages, fragmented and cut anywhere, masked or not", () => {
  const message = fc.record({
    body: fc.uint8Array({ maxLength: 3_000, size: "max" }).map(repeated),
    pieces: fc.array(fc.nat({ max: 10_000 }), { maxLength: 4 }),
    ping: fc.boolean(),
  });
  const cuts = fc.array(fc.nat({ max: 10_000 }), { maxLength: 12, size: "max" });
  fc.assert(
    fc.property(fc.boolean(), fc.array(message, { maxLength: 5 }), cuts, (masks, list, cuts) => {
      const framing = webSocketFraming({ masks });
      const frames = list.flatMap(({ body, pieces, ping }) => {
        const parts = chop(body, pieces);
        return parts.flatMap((part, i) => {
          const frame = framing.encode(part);
          frame[0] = (i === parts.length - 1 ? 0x80 : 0) | (i === 0 ? 2 : 0);
          const between = framing.encode(utf8("?"));
          between[0] = 0x89;
          return ping ? [between, frame] : [frame];
        });
      });
      const stream = concat([...frames, framing.encodeEnd!({ code: 4000, reason: "done" })]);
      const decoder = webSocketFraming({ masks: !masks }).decoder();
      const messages: Uint8Array[] = [];
      for (const chunk of chop(stream, cuts)) decoder.decode(chunk, messages);
      decoder.end(messages);
      assertEquals(messages.length, list.length);
      for (const [i, { body }] of list.entries()) {
        assert(equals(messages[i], body));
      }
      assertEquals(decoder.ended, { code: 4000, reason: "done" });
      assertEquals(decoder.pendingBytes, 0);
    }),
    { numRuns: 100 },
  );

  /** Now and then as long as only a length of eight bytes can say. */
  function repeated(bytes: Uint8Array): Uint8Array {
    return bytes.length % 5 === 0 ? concat(Array(40).fill(bytes)) : bytes;
  }

  function chop(bytes: Uint8Array, places: number[]): Uint8Array[] {
    return cutAt(bytes, ...places.map((place) => Math.floor(place / 10_000 * bytes.length)));
  }
});

Deno.test("Decoder.decode() of any bytes gives messages or a ProtocolError, however they are cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 60 }), (bytes, cut) => {
      const whole = outcome([bytes.slice()]);
      const parts = outcome(cutAt(bytes, Math.min(cut, bytes.length)));
      assertEquals(parts.messages, whole.messages);
      assertEquals(parts.error?.message, whole.error?.message);
      if (whole.error instanceof ConnectionLostError) return;
      if (whole.error !== undefined) assertInstanceOf(whole.error, ProtocolError);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("Decoder.decode() leaves messages as views where they lie in one chunk", () => {
  const chunk = hex("8202 0102 0201 03 8001 04");
  const [view, gathered] = client.decoder().decode(chunk);
  assert(view.buffer === chunk.buffer);
  assert(gathered.buffer !== chunk.buffer);
});

// deno-lint-ignore no-explicit-any
type ErrorClass = new (...args: any[]) => Error;

/** Frames that a client must refuse: what, bytes, error, text. */
const REFUSED: [string, string, ErrorClass, string][] = [
  ["RSV1", "c100", ProtocolError, "first byte 0xc1 has a reserved bit set"],
  ["RSV2", "a100", ProtocolError, "reserved bit"],
  ["RSV3", "9100", ProtocolError, "reserved bit"],
  ["RSV1 of a fragment", "0100 4000", ProtocolError, "reserved bit"],
  ["RSV1 of a control frame", "c900", ProtocolError, "reserved bit"],
  ["opcode 3", "8300", ProtocolError, "opcode 3 is reserved"],
  ["opcode 7", "8700", ProtocolError, "opcode 7 is reserved"],
  ["opcode 11", "8b00", ProtocolError, "opcode 11 is reserved"],
  ["opcode 15", "8f00", ProtocolError, "opcode 15 is reserved"],
  ["a mask", "8180", ProtocolError, "it is masked, as a server's must not be"],
  [
    "a fragmented ping",
    "0900",
    ProtocolError,
    "Ping frame: a control frame must not be fragmented",
  ],
  ["a fragmented Close", "0800", ProtocolError, "Close frame: a control frame must not be"],
  ["a ping of 126 bytes", "897e007e", ProtocolError, "has at most 125 bytes"],
  ["a pong of 65536 bytes", "8a7f", ProtocolError, "Pong frame: a control frame has at most 125"],
  ["a continuation of nothing", "8000", ProtocolError, "no message is under way"],
  ["one after a whole message", "8100 8000", ProtocolError, "no message is under way"],
  [
    "a message inside another",
    "0100 8100",
    ProtocolError,
    "the fragmented one before it has no end",
  ],
  ["125 in 2 bytes", "827e007d", InvalidLengthError, "length 125 is written in 2 bytes"],
  ["0 in 2 bytes", "827e0000", InvalidLengthError, "length 0 is written in 2 bytes"],
  ["65535 in 8 bytes", "827f000000000000ffff", InvalidLengthError, "65535 is written in 8 bytes"],
  ["the topmost bit", "827f8000000000000000", InvalidLengthError, "topmost bit"],
  ["2^63 - 1", "827f7fffffffffffffff", MessageTooLargeError, "limit is 16777216 bytes"],
  ["half a code", "8801 03", ProtocolError, "half of a code"],
  ["code 0", "8802 0000", ProtocolError, "code 0 may not be sent"],
  ["code 999", "8802 03e7", ProtocolError, "code 999 may not be sent"],
  ["code 1004", "8802 03ec", ProtocolError, "code 1004 may not be sent"],
  ["code 1005", "8802 03ed", ProtocolError, "code 1005 may not be sent"],
  ["code 1006", "8802 03ee", ProtocolError, "code 1006 may not be sent"],
  ["code 1015", "8802 03f7", ProtocolError, "code 1015 may not be sent"],
  ["code 1016", "8802 03f8", ProtocolError, "code 1016 may not be sent"],
  ["code 2999", "8802 0bb7", ProtocolError, "code 2999 may not be sent"],
  ["code 5000", "8802 1388", ProtocolError, "code 5000 may not be sent"],
  ["a reason that is not UTF-8", "8804 03e8 c328", InvalidMessageError, "its reason is not UTF-8"],
  ["text that is not UTF-8", "8102 c328", InvalidMessageError, "text message: it is not UTF-8"],
  ["half a character", "8102 e4bd", InvalidMessageError, "it is not UTF-8"],
  ["a surrogate", "8103 eda080", InvalidMessageError, "it is not UTF-8"],
  ["over U+10FFFF", "8104 f4908080", InvalidMessageError, "it is not UTF-8"],
  ["overlong", "8102 c080", InvalidMessageError, "it is not UTF-8"],
  ["fragments not UTF-8", "0101 ce 8001 ff", InvalidMessageError, "it is not UTF-8"],
  [
    "long text",
    `817e0080 ${"61".repeat(100)} ff ${"61".repeat(27)}`,
    InvalidMessageError,
    "not UTF-8",
  ],
];

for (const [what, digits, type, text] of REFUSED) {
  Deno.test(`Decoder.decode() refuses ${what}, whole or byte by byte, after the messages before`, () => {
    const bytes = hex(`8202 6f6b ${digits}`);
    for (const chunks of [[bytes.slice()], byteByByte(bytes)]) {
      const { messages, error } = outcome(chunks);
      assertInstanceOf(error, type);
      assert(error.message.startsWith("Cannot receive "), error.message);
      assert(error.message.includes(text), error.message);
      assertEquals(messages[0], "ok");
    }
    const decoder = client.decoder();
    const first = assertThrows(() => decoder.decode(bytes.slice()));
    assert(first === assertThrows(() => decoder.decode(hex("8100"))), "it is spent");
    assert(first === assertThrows(() => decoder.end()), "it is spent");
    assertEquals(decoder.pendingBytes, 0);
  });
}

Deno.test("Decoder.decode() of a server refuses frames without mask", () => {
  const { error } = outcome("8100", server);
  assertInstanceOf(error, ProtocolError);
  assertEquals(error.message, "Cannot receive frame: it is not masked, as a client's must be");
});

Deno.test("Decoder.decode() accepts text in which a character is cut by fragments", () => {
  assertEquals(outcome(`0101 c3 0000 8001 bc ${CLOSE_NORMAL}`).messages, ["ü"]);
});

Deno.test("Decoder.decode() checks the limit before it allocates, from the header alone", () => {
  const limited = webSocketFraming({ masks: false, maxMessageBytes: 1000 });
  for (const header of ["fe03e9", "ff0000000100000000", "ff7fffffffffffffff"]) {
    for (const chunks of [[hex(`82${header}`)], byteByByte(hex(`82${header}`))]) {
      const decoder = limited.decoder();
      const allocated = allocatedBytes(() => {
        assertThrows(() => chunks.forEach((chunk) => decoder.decode(chunk)), MessageTooLargeError);
      });
      assert(allocated <= 14, `${allocated} bytes`);
    }
  }
  assertEquals(limited.decoder().decode(masked(0x82, new Uint8Array(1000)))[0].length, 1000);
});

Deno.test("Decoder.decode() bounds the sum of fragments, from their headers alone", () => {
  const limited = webSocketFraming({ masks: true, maxMessageBytes: 10 });
  const { error } = outcome("0206 010203040506 8905", limited);
  assertInstanceOf(error, TruncatedMessageError, "a ping does not count");
  const whole = outcome(`0206 414243444546 8004 30303030 ${CLOSE_NORMAL}`, limited);
  assertEquals(whole.messages, ["ABCDEF0000"]);
  const large = outcome("0206 010203040506 8005", limited);
  assertInstanceOf(large.error, MessageTooLargeError);
  assertEquals(
    large.error.message,
    "Cannot receive message of 11 bytes: limit is 10 bytes (2 fragments so far)",
  );
});

Deno.test("Decoder.decode() bounds the number of fragments", () => {
  const decoder = client.decoder();
  decoder.decode(hex("0200"));
  const fragments = new Uint8Array(2 * 131_071);
  decoder.decode(fragments);
  assertEquals(decoder.pendingBytes, 2 * 131_072);
  assertThrows(() => decoder.decode(hex("00")), ProtocolError, "it has over 131072 fragments");
});

Deno.test("Decoder.decode() gathers fragments of one byte in linear memory", () => {
  const count = 65_536;
  const stream = concat([hex("0200"), ...Array(count).fill(hex("00012a")), hex("8000")]);
  const decoder = client.decoder();
  let messages: Uint8Array[] = [];
  const allocated = allocatedBytes(() => {
    for (let at = 0; at < stream.length; at += 1000) {
      messages = decoder.decode(stream.slice(at, at + 1000));
    }
  });
  assertEquals(messages[0], new Uint8Array(count).fill(0x2a));
  assertLess(allocated, 5 * count);
});

Deno.test("Decoder.pendingBytes counts what arrived of the unfinished frame or message", () => {
  const steps: [string, number][] = [
    ["82", 1],
    ["03", 2],
    ["01", 3],
    ["0203", 0],
    ["0200", 2],
    ["0000", 4],
    ["8902 61", 7],
    ["62", 4],
    ["8a", 5],
    ["00", 4],
    ["0002 61", 7],
    ["62", 8],
    ["8001", 10],
    ["62", 0],
    ["81fe".slice(0, 2), 1],
  ];
  const decoder = client.decoder();
  for (const [digits, pending] of steps) {
    decoder.decode(hex(digits));
    assertEquals(decoder.pendingBytes, pending, digits);
  }
});

Deno.test("Decoder.takeReply() answers each ping of a chunk, in order, once, with its body", () => {
  const decoder = client.decoder();
  decoder.decode(hex("8901 61 8201 00 8901 62 8a01 63"));
  const replies = decoder.takeReply!()!;
  assertEquals(replies.length, 14);
  for (const [i, letter] of ["a", "b"].entries()) {
    const reply = replies.subarray(7 * i, 7 * i + 7);
    assertEquals(reply.subarray(0, 2), hex("8a81"));
    assertEquals(unmasked(reply), utf8(letter));
  }
  assertEquals(decoder.takeReply!(), undefined);
  decoder.decode(hex("8900"));
  assertEquals(decoder.takeReply!()!.length, 6);
  const long = hex(`897d ${"61".repeat(125)}`);
  for (const chunks of everyCut(long)) {
    chunks.forEach((chunk) => decoder.decode(chunk));
    assertEquals(unmasked(decoder.takeReply!()!), long.subarray(2));
  }
});

Deno.test("Decoder.takeReply() answers the pings before an error, and none after it", () => {
  const decoder = server.decoder();
  assertThrows(() => decoder.decode(concat([masked(0x89, utf8("a")), hex("ff")])), ProtocolError);
  assertEquals(decoder.takeReply!(), hex("8a01 61"));
  assertEquals(decoder.takeReply!(), undefined);
});

Deno.test("Decoder.decode() refuses text at the first byte that cannot be UTF-8, also inside of a frame", () => {
  for (const start of ["0104 c3bc f490", "810a c3bc f490", "0102 c3bc 000a f490"]) {
    const bytes = hex(start);
    const decoder = client.decoder();
    decoder.decode(bytes.subarray(0, -1).slice());
    assertThrows(() => decoder.decode(hex("90")), InvalidMessageError, "it is not UTF-8");
  }
});

Deno.test("Decoder.ended is what the Close frame says, and nothing after it is looked at", () => {
  const cases: [string, EndInfo][] = [
    ["8800", {}],
    ["8802 03e8", { code: 1000 }],
    ["8805 0bb8 627965", { code: 3000, reason: "bye" }],
    ["8802 03f6", { code: 1014 }],
    ["8806 1387 e4bda0 21", { code: 4999, reason: "你!" }],
  ];
  for (const [digits, ended] of cases) {
    for (const chunks of everyCut(hex(`${digits} ff ff ff`))) {
      const decoder = client.decoder();
      for (const chunk of chunks) assertEquals(decoder.decode(chunk), []);
      assertEquals(decoder.ended, ended);
      assertEquals(decoder.end(), []);
      assertEquals(decoder.pendingBytes, 0);
    }
  }
});

Deno.test("Decoder.end() tells a lost stream from a cut message", () => {
  const lost = outcome("8201 61").error;
  assertInstanceOf(lost, ConnectionLostError);
  assertEquals(lost.message, "Cannot receive message: stream ended without a Close frame");
  for (
    const [digits, received, missing, part] of [
      ["82", 1, 1, "header"],
      ["827e00", 3, 1, "header"],
      ["8203 6161", 4, 1, "body"],
      ["0203 616161", 5, 2, "header"],
      ["0203 616161 8900", 5, 2, "header"],
      [`0203 616161 ${CLOSE_NORMAL}`, 5, 2, "header"],
    ] as const
  ) {
    const { error } = outcome(digits);
    assertInstanceOf(error, TruncatedMessageError, digits);
    assertEquals([error.received, error.missing], [received, missing], digits);
    assert(error.message.includes(`in its ${part}`), error.message);
  }
});

Deno.test("Framing.encodeEnd() says why, in a code and at most 123 bytes", () => {
  const cases: [EndInfo, number, string][] = [
    [{}, 1000, ""],
    [{ reason: "done" }, 1000, "done"],
    [{ code: 4321, reason: "x" }, 4321, "x"],
    [{ error: new MessageTooLargeError("receive", 9, 5) }, 1009, "Cannot receive message of 9 byt"],
    [{ error: new InvalidMessageError("not UTF-8") }, 1007, "not UTF-8"],
    [{ error: new InvalidLengthError("length") }, 1002, "length"],
    [{ error: new ProtocolError("rule") }, 1002, "rule"],
  ];
  for (const [info, code, reason] of cases) {
    for (const [framing, peer] of [[server, client], [client, server]]) {
      const decoder = peer.decoder();
      decoder.decode(framing.encodeEnd!(info));
      assertEquals(decoder.ended?.code, code);
      assert((decoder.ended?.reason ?? "").startsWith(reason));
    }
  }
  const cut = server.encodeEnd!({ reason: "ü".repeat(100) });
  assertEquals(cut.length, 4 + 122);
  assertEquals(new TextDecoder().decode(cut.subarray(4)), "ü".repeat(61));
  assertEquals(server.encodeEnd!({ reason: "x".repeat(123) }).length, 127);
});

Deno.test("Framing.encodeEnd() refuses codes that may not be sent", () => {
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, NaN, -1]) {
    assertThrows(() => server.encodeEnd!({ code }), RangeError, `Cannot close with code ${code}`);
  }
  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    assertEquals(server.encodeEnd!({ code }).length, 4);
  }
});

Deno.test("webSocketFraming() checks and changes its limit", () => {
  assertThrows(() => webSocketFraming({ masks: true, maxMessageBytes: -1 }), RangeError);
  const limited = client.withLimit(5);
  assertEquals([limited.name, limited.maxMessageBytes], ["websocket", 5]);
  assertEquals(limited.encode(utf8("a"))[1], 0x81, "it still masks");
  assertInstanceOf(outcome("8206", limited).error, MessageTooLargeError);
});

Deno.test("WebSocketDecoder gives back the chunks that it has copied", () => {
  const spare: Uint8Array[] = [];
  const decoder = new WebSocketDecoder(false, 1e6, (body) => body, {
    ...SHARED_BLOCKS,
    recycle: (chunk) => spare.push(chunk),
  });
  decoder.decode(hex("827f0000000000010000"));
  const chunk = new Uint8Array(65_535);
  decoder.decode(chunk);
  assertEquals(decoder.decode(Uint8Array.of(1)).length, 1);
  assert(spare[0].buffer === chunk.buffer);
});
