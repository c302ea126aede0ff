/**
 * Compressed messages: Autobahn's cases 12 and 13, what is agreed on, and what must not be believed.
 * `LENGTHWISE_FULL=1` sends a thousand messages of each size, as Autobahn does, which takes four minutes.
 */

import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { concat, equals } from "@std/bytes";
import { setImmediate } from "node:timers";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import {
  type CloseInfo,
  connect,
  ConnectError,
  type Connection,
  listen,
  MessageTooLargeError,
} from "../../mod.ts";
import { formatEndpoint, parseEndpoint, type WebSocketEndpoint } from "../../transport.ts";
import { agreedIn, choose, OFFER } from "../../transport/websocket/extensions.ts";
import { hex } from "../support/bytes.ts";
import { bytes, inParts, text } from "./websocket_cases/case.ts";
import { CasePeer, type Frame, TEXT } from "./websocket_cases/peer.ts";
import { readAll, SIDES, underTest } from "./websocket_cases/run.ts";

const isFull = Deno.env.get("LENGTHWISE_FULL") !== undefined;
const MESSAGES = isFull ? 1000 : 2;
/** RSV1 among the three bits. */
const COMPRESSED = 4;
const BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

function deflate(body: Uint8Array, windowBits = 15): Uint8Array {
  const options = { windowBits, finishFlush: constants.Z_SYNC_FLUSH };
  return new Uint8Array(deflateRawSync(body, options)).slice(0, -4);
}

function inflate(body: Uint8Array, windowBits: number): Uint8Array {
  const options = { windowBits, finishFlush: constants.Z_SYNC_FLUSH };
  return new Uint8Array(inflateRawSync(concat([body, hex("0000ffff")]), options));
}

/** The same message, compressed. */
function compressed(frame: Frame, windowBits?: number): Frame {
  return { ...frame, body: deflate(frame.body, windowBits), reserved: COMPRESSED };
}

/** As Autobahn's: a JSON file, a picture, and texts with few and with many characters beyond ASCII. */
const MATERIAL: ((size: number) => Frame)[] = [
  (size) => text(repeated('{"id":4711,"name":"Ada","tags":["x","y"],"at":1.5e3},', size)),
  (size) => bytes(Uint8Array.from({ length: size }, (_, i) => (i * i >> 5) ^ (i % 97))),
  (size) => text(repeated("Habe nun, ach! Philosophie, Juristerei und Medizin, ", size)),
  (size) => text(repeated("гóλος 你好 grüße \u{1f600} ", size / 2)),
];

function repeated(part: string, length: number): string {
  return part.repeat(Math.ceil(length / part.length)).slice(0, length).toWellFormed();
}

const SIZES = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
/** How large the fragments are, where the messages come in fragments. */
const FRAGMENTED: [size: number, fragment: number][] = [
  [8192, 256],
  [16_384, 256],
  [32_768, 256],
  [65_536, 256],
  [131_072, 256],
  [131_072, 1024],
  [131_072, 4096],
  [131_072, 32_768],
];

/** Sends messages there and back, compressed in one stream with the window that was agreed on. */
async function thereAndBack(peer: CasePeer, make: (size: number) => Frame, windowBits = 15) {
  const runs = [...SIZES.map((size) => [size, Infinity]), ...FRAGMENTED];
  for (const [size, fragment] of runs) {
    const frame = make(size);
    const small = deflate(frame.body);
    const parts = inParts({ ...frame, body: small }, Math.min(fragment, small.length));
    const frames = [{ ...parts[0], reserved: COMPRESSED }, ...parts.slice(1)];
    for (let i = 0; i < MESSAGES; i++) {
      await peer.send(frames, "whole");
      const { first, body } = (await peer.receive())!;
      const isCompressed = (first & 0x40) !== 0;
      const whole = isCompressed ? inflate(body, windowBits) : body;
      assertEquals(first & 0x8f, 0x80 | frame.opcode);
      assert(equals(whole, frame.body), `${size} bytes`);
      if (frame.opcode === TEXT && size > 2048) {
        assert(isCompressed && body.length < whole.length / 2, "it was worth it");
      }
    }
  }
}

for (const side of SIDES) {
  Deno.test(`ws: our ${side} holds Autobahn's cases 12: compressed messages of many sizes, in fragments`, async () => {
    await using under = await underTest(side, { web: { deflate: true } }, BOTH);
    for (const make of MATERIAL) {
      using peer = await under.peer();
      assert(peer.extensions.startsWith(BOTH), peer.extensions);
      await thereAndBack(peer, make);
    }
  });
}

/** What Autobahn's clients offer in cases 13, and the window of what our server then sends. */
const OFFERS: [offer: string, windowBits: number][] = [
  ["permessage-deflate", 15],
  ["permessage-deflate; server_no_context_takeover", 15],
  ["permessage-deflate; server_max_window_bits=9", 9],
  ["permessage-deflate; server_max_window_bits=15", 15],
  ["permessage-deflate; server_no_context_takeover; server_max_window_bits=9", 9],
  ["permessage-deflate; server_no_context_takeover; server_max_window_bits=15", 15],
  [
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, " +
    "permessage-deflate; server_no_context_takeover, permessage-deflate",
    9,
  ],
];

Deno.test("ws: our server holds Autobahn's cases 13: compressed as a client offers it", async () => {
  for (const [offer, windowBits] of OFFERS) {
    await using under = await underTest("server", { web: { deflate: true } }, offer);
    using peer = await under.peer();
    assert(peer.extensions.startsWith(BOTH), peer.extensions);
    assertEquals(peer.extensions.includes("server_max_window_bits"), offer.includes("bits"));
    await thereAndBack(peer, MATERIAL[0], windowBits);
  }
});

Deno.test("ws: our client holds Autobahn's cases 13: compressed as a server answers it", async () => {
  const answers: [string, number][] = [
    ["permessage-deflate; server_no_context_takeover", 15],
    [`${BOTH}; client_max_window_bits=9`, 9],
    [`${BOTH}; client_max_window_bits="15"; server_max_window_bits=9`, 15],
  ];
  for (const [answer, windowBits] of answers) {
    await using under = await underTest("client", { web: { deflate: true } }, answer);
    using peer = await under.peer();
    assertEquals(peer.extensions, OFFER);
    await thereAndBack(peer, MATERIAL[0], windowBits);
  }
});

Deno.test("choose() takes the first offer that can be kept, and passes over what is wrong or unknown", () => {
  const own = `${BOTH}`;
  const cases: [offers: string | null, field: string | undefined][] = [
    [null, undefined],
    ["", undefined],
    ["x-webkit-deflate-frame", undefined],
    ["permessage-deflate; client_max_window_bits", own],
    ["permessage-deflate; client_max_window_bits=10", own],
    ['Permessage-Deflate;server_max_window_bits="12"', `${own}; server_max_window_bits=12`],
    ["permessage-deflate; server_max_window_bits=8", `${own}; server_max_window_bits=8`],
    ["permessage-deflate; server_max_window_bits", undefined],
    ["permessage-deflate; server_max_window_bits=7", undefined],
    ["permessage-deflate; server_max_window_bits=16", undefined],
    ["permessage-deflate; server_max_window_bits=09", undefined],
    ["permessage-deflate; client_max_window_bits=", undefined],
    ["permessage-deflate; server_no_context_takeover=1", undefined],
    ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", undefined],
    ["permessage-deflate; unknown, x, permessage-deflate", own],
  ];
  for (const [offers, field] of cases) assertEquals(choose(offers)?.field, field, `${offers}`);
});

Deno.test("agreedIn() refuses answers that keep a context, are wrong, or are something else", () => {
  for (
    const [answer, windowBits] of [
      ["permessage-deflate", undefined],
      ["permessage-deflate; client_no_context_takeover", undefined],
      [`${BOTH}; client_max_window_bits`, undefined],
      [`${BOTH}, ${BOTH}`, undefined],
      ["x", undefined],
      [BOTH, 15],
      [`${BOTH}; client_max_window_bits=8`, 8],
    ] as const
  ) {
    assertEquals(agreedIn(answer)?.windowBits, windowBits, answer);
  }
});

Deno.test("ws: ?deflate=1 is the option of an endpoint, and is off by default", async () => {
  const endpoint = parseEndpoint("ws://localhost:80/chat?a=b&deflate=1&session=0");
  assertEquals((endpoint as WebSocketEndpoint).deflate, true);
  assertEquals(formatEndpoint(endpoint), "ws://localhost:80/chat?a=b&deflate=1");
  for (const isOn of [false, true]) {
    await using server = await listen(`ws://127.0.0.1:0/${isOn ? "?deflate=1" : ""}`, echo);
    await using client = await connect(server.endpoints[0].replace("/?deflate=1", "/"), {
      web: { deflate: true },
    });
    await client.send(new Uint8Array(100_000));
    assertEquals(await client.receive(), new Uint8Array(100_000));
    const { bytesSent, bytesReceived } = client.stats;
    assertEquals([bytesSent < 1000, bytesReceived < 1000], [isOn, isOn]);
  }
});

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

Deno.test("connect() refuses compression that it did not offer, or that keeps a context", async () => {
  for (const [deflate, answer] of [[false, BOTH], [true, "permessage-deflate"]] as const) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const connecting = assertRejects(
      () => connect(`ws://127.0.0.1:${listener.addr.port}`, { web: { deflate } }),
      ConnectError,
      `the server chose Sec-WebSocket-Extensions "${answer}", which was not offered`,
    );
    using _peer = await CasePeer.accept(await listener.accept(), answer);
    await connecting;
  }
});

/** What breaks a rule, and the code that tells it. */
const WRONG: [what: string, frames: Frame[], code: number][] = [
  ["bytes that are no stream", [bytes("ffffffff", { reserved: COMPRESSED })], 1007],
  ["text that is not UTF-8", [compressed(text(hex("c328")))], 1007],
  ["another reserved bit", [bytes("00", { reserved: 2 })], 1002],
  ["both bits", [bytes("00", { reserved: 6 })], 1002],
  ["a compressed ping", [{ opcode: 9, body: hex(""), reserved: COMPRESSED }], 1002],
  [
    "the bit on a later fragment",
    [bytes("00", { isFinal: false }), { opcode: 0, body: hex("00"), reserved: COMPRESSED }],
    1002,
  ],
  ["a bomb", [compressed(bytes(new Uint8Array(64 * 1024 * 1024)))], 1009],
  ["one byte above the limit", [compressed(bytes(new Uint8Array(100_001)))], 1009],
];

for (const [what, frames, code] of WRONG) {
  Deno.test(`ws: with compression, ${what} is answered with ${code}`, async () => {
    const limited = { web: { deflate: true }, maxMessageBytes: 100_000 };
    await using under = await underTest("server", limited, "permessage-deflate");
    using peer = await under.peer();
    await peer.send([compressed(text("before")), ...frames], "whole");
    const { got, code: told } = await readAll(peer, [], () => Promise.resolve());
    assertEquals([got.length, told], [1, code]);
  });
}

Deno.test("ws: empty, final and uncompressed messages among compressed ones, and the largest", async () => {
  const limited = { web: { deflate: true }, maxMessageBytes: 100_000 };
  await using under = await underTest("server", limited, "permessage-deflate");
  using peer = await under.peer();
  const final = new Uint8Array(deflateRawSync(new Uint8Array(10)));
  const largest = bytes(Uint8Array.from({ length: 100_000 }, (_, i) => i >> 8));
  const cases: [Frame, number][] = [
    [{ ...text(""), body: hex("00"), reserved: COMPRESSED }, 0],
    [text("plain"), 5],
    [{ ...bytes(final), reserved: COMPRESSED }, 10],
    [compressed(largest), 100_000],
  ];
  for (const [frame, length] of cases) {
    await peer.send([frame], "whole");
    const { first, body } = (await peer.receive())!;
    assertEquals(first & 0x0f, frame.opcode);
    assertEquals((first & 0x40 ? inflate(body, 15) : body).length, length);
  }
});

Deno.test("ws: many small bombs wait unread in little more memory than maxUnreadBytes", async () => {
  const opened = Promise.withResolvers<Connection>();
  const go = Promise.withResolvers<void>();
  const options = { web: { deflate: true }, maxUnreadBytes: 100_000 };
  await using server = await listen("ws://127.0.0.1:0", options, async (connection) => {
    opened.resolve(connection);
    await go.promise;
    for await (const _ of connection);
  });
  const { port } = parseEndpoint(server.endpoints[0]) as WebSocketEndpoint;
  using peer = await CasePeer.connect(port, "permessage-deflate");
  const bomb = compressed(bytes(new Uint8Array(1024 * 1024)));
  await peer.send(Array(60).fill(bomb), "whole");
  const connection = await opened.promise;
  let most = 0;
  for (let i = 0; i < 200; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, connection.stats.unreadBytes);
  }
  assert(most > 0);
  assertLess(most, 6 * 1024 * 1024);
  go.resolve();
});

Deno.test("ws: a broadcast is compressed, and each member gets it whole", async () => {
  await using server = await listen("ws://127.0.0.1:0/?deflate=1", async (connection) => {
    for await (const _ of connection);
  });
  await using near = await connect(server.endpoints[0]);
  await using plain = await connect(server.endpoints[0].replace("?deflate=1", ""));
  while (server.connections.size < 2) await new Promise((resolve) => setImmediate(resolve));
  const message = "the same again and again, ".repeat(1000);
  server.broadcast(message);
  for (const client of [near, plain]) {
    assertEquals(new TextDecoder().decode(await client.receive()), message);
  }
  assertLess(near.stats.bytesReceived, plain.stats.bytesReceived / 20);
});

Deno.test("ws: a compressed message above the limit is a MessageTooLargeError, which names the limit", async () => {
  const ended = Promise.withResolvers<CloseInfo>();
  const options = { web: { deflate: true }, maxMessageBytes: 1000 };
  await using server = await listen("ws://127.0.0.1:0", options, async (connection) => {
    ended.resolve(await connection.closed);
  });
  const { port } = parseEndpoint(server.endpoints[0]) as WebSocketEndpoint;
  using peer = await CasePeer.connect(port, "permessage-deflate");
  await peer.send([compressed(bytes(new Uint8Array(5000)))], "whole");
  const { reason } = await readAll(peer, [], () => Promise.resolve());
  const { error } = await ended.promise;
  assertInstanceOf(error, MessageTooLargeError);
  assertEquals(
    error.message,
    "Cannot receive message of 1001 bytes: limit is 1000 bytes (inflated so far)",
  );
  assertEquals(new TextDecoder().decode(reason), error.message);
});
