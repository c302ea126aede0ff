/** What peers do wrong, by mistake or on purpose: it must hurt nobody but themselves. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
} from "@std/assert";
import { connect } from "../../client.ts";
import { lengthPrefix } from "../../codec.ts";
import type { Connection } from "../../connection.ts";
import {
  ConnectionLostError,
  FrameTimeoutError,
  InvalidLengthError,
  LengthwiseError,
  MessageTooLargeError,
  TruncatedMessageError,
} from "../../errors.ts";
import { listen, type ListenOptions } from "../../server.ts";
import { turn } from "../support/fake_transport.ts";
import { Fixture } from "../support/fixture.ts";
import { liveBytes } from "../support/memory.ts";
import { ascii, connectResettable, RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];
const MIB = 1024 * 1024;

/** A server that sends back what it gets, and keeps the errors it is told of. */
async function echo(options: ListenOptions = {}) {
  const failed = Promise.withResolvers<{ error: unknown; connection?: Connection }>();
  const server = await listen("127.0.0.1:0", {
    onError: (error, connection) => failed.resolve({ error, connection }),
    ...options,
  }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  return {
    server,
    endpoint: server.endpoints[0],
    /** The first error. */
    failed: failed.promise,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Input that breaks the rules: what, in which framing, what the server says. */
const TABLE: [what: string, options: ListenOptions, bytes: Iterable<number>, message: string][] = [
  [
    "an HTTP request",
    {},
    ascii("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "Cannot receive message of 1195725856 bytes: limit is 1048576 bytes " +
    '(it looks like an HTTP request, "GET ")',
  ],
  [
    "a TLS hello",
    {},
    [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03],
    "Cannot receive message of 369295618 bytes: limit is 1048576 bytes (it looks like a TLS hello)",
  ],
  [
    "an SSH banner",
    {},
    ascii("SSH-2.0-OpenSSH_9.6\r\n"),
    "Cannot receive message of 1397966893 bytes: limit is 1048576 bytes " +
    '(it looks like SSH, "SSH-")',
  ],
  [
    "0xFFFFFFFF as a length",
    {},
    [0xff, 0xff, 0xff, 0xff],
    "Cannot receive message of 4294967295 bytes: limit is 1048576 bytes",
  ],
  [
    "0x80000000 as a length",
    {},
    [0x80, 0, 0, 0],
    "Cannot receive message of 2147483648 bytes: limit is 1048576 bytes " +
    "(in the other byte order it is 128 bytes)",
  ],
  [
    "a length of one above the limit",
    {},
    [0, 16, 0, 1],
    "Cannot receive message of 1048577 bytes: limit is 1048576 bytes",
  ],
  [
    "a length of a TiB",
    { framing: "u64be" },
    [0, 0, 1, 0, 0, 0, 0, 1],
    "Cannot receive message of 1099511627777 bytes: limit is 1048576 bytes",
  ],
  [
    "a varint without end",
    { framing: "varint" },
    new Uint8Array(64).fill(0xff),
    "Cannot receive message: its varint is longer than 10 bytes",
  ],
  [
    "a length shorter than its own header",
    { framing: lengthPrefix({ bytes: 2, includesHeader: true }) },
    [0, 1, 65],
    "Cannot receive message: length 1 is too small, the header alone has 2 bytes",
  ],
  [
    "a line without end",
    { framing: "line", maxMessageBytes: 1000 },
    new Uint8Array(1002).fill(65),
    "Cannot receive message of 1002 bytes: limit is 1000 bytes (a line so far)",
  ],
];

for (const [what, options, bytes, message] of TABLE) {
  Deno.test(`Server closes a connection that sends ${what}, says why, and others notice nothing`, async () => {
    await using echoing = await echo(options);
    await using other = await connect(echoing.endpoint, { framing: options.framing });
    other.send("before");
    assertEquals(await receiveText(other), "before");

    using peer = await RawPeer.connect(echoing.endpoint);
    const startedAt = performance.now();
    await peer.send(bytes);
    await peer.drain();
    assertLess(performance.now() - startedAt, 20_000);

    const { error, connection } = await echoing.failed;
    assertInstanceOf(error, LengthwiseError);
    assert(error instanceof MessageTooLargeError || error instanceof InvalidLengthError);
    assertEquals(error.message, message);
    assertEquals(connection?.remote, peer.address);
    assertEquals((await connection!.closed).error, error);

    other.send("after");
    assertEquals(await receiveText(other), "after");
    assertEquals(echoing.server.connections.size, 1);
  });
}

Deno.test("Server takes no memory for what headers only announce", async () => {
  await using server = new Fixture("echo_server.ts");
  const endpoint = await server.line();
  await using asking = await connect(endpoint!);
  const memory = async () => {
    asking.send("memory");
    return Number(await receiveText(asking));
  };
  const before = await memory();
  const peers: RawPeer[] = [];
  for (let n = 0; n < 200; n++) {
    const peer = await RawPeer.connect(endpoint!);
    peers.push(peer);
    // The answer to the message shows that the header behind it has been seen: 1 MiB follows, it says.
    await peer.send([...HELLO, 0, 16, 0, 0]);
    assertEquals([...await peer.receive(9)], HELLO);
  }
  assertLess(await memory() - before, 32 * MIB);
  for (const peer of peers) peer.close();
});

Deno.test("Server closes a connection that trickles: never idle, and never done", async () => {
  await using echoing = await echo({ frameTimeout: 150 });
  using peer = await RawPeer.connect(echoing.endpoint);
  const startedAt = performance.now();
  await peer.send([0, 0, 255, 255]);
  let open = true;
  const ended = peer.drain().then(() => open = false);
  while (open) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await peer.send([65]).catch(() => open = false);
  }
  await ended;
  const elapsed = performance.now() - startedAt;
  assertGreater(elapsed, 149);
  assertLess(elapsed, 60_000);
  const { error, connection } = await echoing.failed;
  assertInstanceOf(error, FrameTimeoutError);
  const [, arrived] =
    /^Cannot receive message from 127\.0\.0\.1:\d+: it was not finished within 150 ms, (\d+) bytes had arrived$/
      .exec(error.message)!;
  assertEquals(connection?.stats.bytesReceived, Number(arrived));
});

Deno.test("Connection measures frameTimeout from the start of each frame", async () => {
  await using echoing = await echo({ frameTimeout: 1_500 });
  using peer = await RawPeer.connect(echoing.endpoint);
  // Every chunk ends inside a frame, none of which takes long.
  let rest: number[] = [];
  for (let n = 0; n < 30; n++) {
    await peer.send([...rest, ...HELLO.slice(0, 6)]);
    rest = HELLO.slice(6);
    await new Promise((resolve) => setTimeout(resolve, 75));
  }
  await peer.send(rest);
  assertEquals((await peer.receive(30 * 9)).length, 30 * 9);
});

Deno.test("Server puts a message together from 131072 writes of one byte", async () => {
  await using echoing = await echo();
  using peer = await RawPeer.connect(echoing.endpoint);
  const body = 131_072 - 4;
  const frame = new Uint8Array(131_072).fill(7);
  frame.set([body >> 24, body >> 16, body >> 8, body]);
  const answer = peer.receive(frame.length);
  await peer.sendByteByByte(frame);
  assertEquals(await answer, frame);
});

const CUTS: [where: string, bytes: number[], received: number, missing: number][] = [
  ["the header", [0], 1, 3],
  ["the header's last byte", [0, 0, 0], 3, 1],
  ["front of the body", [0, 0, 0, 5], 4, 5],
  ["the body", [0, 0, 0, 5, 72, 69], 6, 3],
  ["a large body", [0, 15, 0, 0, ...new Uint8Array(1000)], 1004, 15 * 65_536 - 1000],
];

for (const [where, bytes, received, missing] of CUTS) {
  Deno.test(`Connection whose stream ends in ${where} tells how much was missing, after the whole messages`, async () => {
    await using echoing = await echo();
    using peer = await RawPeer.connect(echoing.endpoint);
    await peer.send([...HELLO, ...HELLO, ...bytes]);
    const answers = await peer.receive(18);
    await peer.closeWrite();
    assertEquals([...answers], [...HELLO, ...HELLO]);
    const { error } = await echoing.failed;
    assertInstanceOf(error, TruncatedMessageError);
    assertEquals([error.received, error.missing], [received, missing]);
    assertEquals(await peer.drain(), 0);
  });
}

Deno.test("Connection that the peer resets while it reads ends with ConnectionLostError, or in order", async () => {
  await using server = await listen("127.0.0.1:0");
  const connections = server[Symbol.asyncIterator]();
  for (let n = 0; n < 20; n++) {
    const socket = await connectResettable(server.endpoints[0]);
    await using connection = (await connections.next()).value!;
    socket.resetAndDestroy();
    // The system may give a reset as an end.
    const outcome = await connection.receive().catch((error) => error);
    if (outcome !== undefined) {
      assertInstanceOf(outcome, ConnectionLostError);
      assertEquals((await connection.closed).error, outcome);
    }
  }
});

Deno.test("Connection that the peer resets while it sends ends with ConnectionLostError, and tells what did not leave", async () => {
  await using server = await listen("127.0.0.1:0");
  const connections = server[Symbol.asyncIterator]();
  const socket = await connectResettable(server.endpoints[0]);
  socket.pause();
  const { value: connection } = await connections.next();
  const sending = (async () => {
    for (;;) await connection!.send(new Uint8Array(100_000));
  })();
  while (connection!.stats.bufferedBytes < 65_536) await turn();
  socket.resetAndDestroy();
  const error = await assertRejects(() => sending, LengthwiseError);
  assertInstanceOf(error, ConnectionLostError);
  const info = await connection!.close();
  assertEquals(info.clean, false);
  assertGreater(info.undeliveredBytes, 0);
});

/** Ways to come and go. */
const LIVES: ((endpoint: string, connection: Promise<Connection>) => Promise<unknown>)[] = [
  async (_, connection) => (await connection).close(),
  async (_, connection) => { // while reading
    const { close, receive } = bound(await connection);
    const reading = receive();
    await Promise.all([close(), close(), reading]);
  },
  async (_, connection) => { // while sending
    const { close, send } = bound(await connection);
    send(new Uint8Array(100_000));
    await close();
  },
  async (_, connection) => { // at once
    const { abort, receive } = bound(await connection);
    const reading = receive().catch(() => {});
    abort();
    await reading;
  },
  async (_, connection) => { // at once, with something on its way
    const { abort, send } = bound(await connection);
    send("HELLO");
    abort();
  },
  async (_, connection) => { // thrown out
    const { send, close } = bound(await connection);
    send("throw");
    await close();
  },
  async (_, connection) => { // answered
    await using open = await connection;
    open.send("HELLO");
    assertEquals(await receiveText(open), "HELLO");
  },
];

const RAW_LIVES: ((endpoint: string) => Promise<unknown>)[] = [
  async (endpoint) => (await RawPeer.connect(endpoint)).close(),
  async (endpoint) => { // inside a frame
    using peer = await RawPeer.connect(endpoint);
    await peer.send(HELLO.slice(0, 6));
  },
  async (endpoint) => (await connectResettable(endpoint)).resetAndDestroy(),
];

function bound(connection: Connection) {
  return {
    close: () => connection.close(),
    abort: () => connection.abort(),
    receive: () => connection.receive(),
    send: (message: Uint8Array | string) => connection.send(message),
  };
}

Deno.test("Server outlives 10 000 connections of all kinds, and keeps nothing of them", async () => {
  await using server = await listen("127.0.0.1:0", { onError: () => {} }, async (connection) => {
    for await (const message of connection) {
      if (message.length === 5 && message[0] === 116) throw new Error("thrown out");
      await connection.send(message);
    }
  });
  const [endpoint] = server.endpoints;
  const kinds = LIVES.length + RAW_LIVES.length;
  const live = (n: number) => {
    const kind = n % kinds;
    if (kind >= LIVES.length) return RAW_LIVES[kind - LIVES.length](endpoint);
    return LIVES[kind](endpoint, connect(endpoint));
  };
  let memory = 0;
  for (let batch = 0; batch < 100; batch++) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => live(n)));
    while (server.connections.size > 0) await turn();
    if (batch === 20) memory = liveBytes();
  }
  assertLess(liveBytes() - memory, 2 * MIB);
  // Those that reset at once may be gone before they are accepted.
  assertGreater(server.stats.accepted, 8_999);
  assertEquals(server.stats.acceptErrors, 0);
});
