/** Holding back, both ways: `send()` waits for a slow peer, reading waits for a slow consumer. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { connect } from "../../client.ts";
import { Connection, type ConnectionOptions } from "../../connection.ts";
import { resolveLimits } from "../../connection/limits.ts";
import { ConnectionLostError, FrameTimeoutError, SlowConsumerError } from "../../errors.ts";
import { listen } from "../../server.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { pattern, rawPair } from "../support/raw.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];

/** Whether a promise has settled by the end of this turn. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.finally(() => settled = true).catch(() => {});
  await turn();
  return settled;
}

// send() waits.

Deno.test("Connection.send() waits from the high-water mark on, until the peer has taken enough", async () => {
  const transport = new FakeTransport({ takes: 0, endsInReply: true });
  await using connection = new Connection(transport, { framing: "none", highWaterMark: 10 });
  assert(await settled(connection.send("123456789")));
  const tenth = connection.send("0");
  const eleventh = connection.send("1");
  assert(!await settled(tenth));
  transport.take(1);
  assert(!await settled(tenth));
  transport.take(1);
  assert(await settled(tenth));
  assert(await settled(eleventh));
  assertEquals(connection.stats.bufferedBytes, 9);
  assert(!await settled(connection.send("2")));
  transport.take(Infinity);
});

Deno.test("Connection.send() waits while the peer does not read, then goes on", async () => {
  await using pair = await rawPair();
  const message = pattern(100_000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent++) await pair.connection.send(message);
  })();
  await pair.peer.receive(1);
  // At most what the system takes by itself, one message, and the high-water mark.
  assertLessOrEqual(pair.connection.stats.bufferedBytes, 65_536 + 100_004);
  assertLess(sent, 200);
  await pair.peer.receive(200 * 100_004 - 1);
  await sending;
});

Deno.test("Connection: a peer that never reads is aborted after writeTimeout; what it can still read and undeliveredBytes make the whole", async () => {
  await using pair = await rawPair({ writeTimeout: 100, closeTimeout: 10_000 });
  const message = pattern(1_000_000);
  let queued = 0;
  const send = async () => {
    for (;;) {
      queued += 1_000_004;
      await pair.connection.send(message);
    }
  };
  const error = await assertRejects(send, ConnectionLostError);
  assertEquals(
    error.message,
    `Cannot send to ${pair.peer.address}: it took nothing for 100 ms`,
  );
  const info = await pair.connection.closed;
  assertEquals([info.clean, info.error], [false, error]);
  assertGreater(info.undeliveredBytes, 0);
  assertLessOrEqual(info.undeliveredBytes, 65_536 + 1_000_004);
  assertEquals(pair.connection.stats.bytesSent, queued - info.undeliveredBytes);
  assertEquals(await pair.peer.drain(), queued - info.undeliveredBytes);
});

Deno.test("Connection aborted while the peer does not read: what the peer can still read and undeliveredBytes make the whole", async () => {
  await using pair = await rawPair();
  const sends: Promise<unknown>[] = [];
  for (let n = 0; n < 7; n++) {
    sends.push(pair.connection.send(pattern(999_996)).catch((error) => error));
  }
  await pair.peer.receive(1_000_000);
  pair.connection.abort("enough");
  const { undeliveredBytes } = await pair.connection.closed;
  assertEquals(1_000_000 + await pair.peer.drain() + undeliveredBytes, 7_000_000);
  assertEquals(await Promise.all(sends), new Array(7).fill("enough"));
});

Deno.test("Connection aborted at the moment when a write succeeds counts that write as delivered", async () => {
  const transport = new FakeTransport({ takes: 0 });
  const connection = new Connection(transport);
  connection.send("HELLO");
  await turn();
  transport.take(4);
  connection.abort("enough");
  assertEquals((await connection.closed).undeliveredBytes, HELLO.length - transport.written.length);
});

Deno.test("Connection: a write that makes progress is not timed out, however long the whole takes", async () => {
  const transport = new FakeTransport({ takes: 1, endsInReply: true });
  const connection = new Connection(transport, { writeTimeout: 100 });
  connection.send("HELLO");
  const startedAt = performance.now();
  for (let n = 0; n < 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    transport.take(1);
  }
  assertGreater(performance.now() - startedAt, 100);
  assertEquals((await connection.close()).clean, true);
});

// maxPendingBytes.

const SMALL: ConnectionOptions = { framing: "u8", highWaterMark: 50, maxPendingBytes: 100 };

Deno.test('Connection with slowConsumer "disconnect" is aborted with SlowConsumerError at maxPendingBytes', async () => {
  const transport = new FakeTransport({ takes: 5 });
  const connection = new Connection(transport, SMALL);
  const sends: Promise<unknown>[] = [];
  for (let n = 0; n < 10; n++) sends.push(connection.send("123456789"));
  await turn();
  connection.send("1234");
  assertEquals([connection.state, connection.stats.bufferedBytes], ["open", 100]);
  const error = await assertRejects(() => connection.send(""), SlowConsumerError);
  assertEquals(
    error.message,
    "Cannot send message to fake:2: 100 bytes wait already, limit is 100 bytes",
  );
  assertEquals(await assertRejects(() => sends[9]), error);
  const info = await connection.closed;
  assertEquals(info, { clean: false, error, undeliveredBytes: 100, unreadBytes: 0 });
  const { messagesDropped, bytesSent } = connection.stats;
  assertEquals([messagesDropped, bytesSent], [1, 5]);
});

Deno.test('Connection with slowConsumer "drop-newest" drops what comes at maxPendingBytes, and counts it', async () => {
  const transport = new FakeTransport({ takes: 5, endsInReply: true });
  const connection = new Connection(transport, { ...SMALL, slowConsumer: "drop-newest" });
  for (let n = 0; n < 15; n++) connection.send(`message ${n % 10}`);
  const { messagesDropped, bufferedBytes } = connection.stats;
  assertEquals([messagesDropped, bufferedBytes], [5, 100]);
  transport.take(Infinity);
  await turn();
  connection.send("after all");
  const info = await connection.close();
  assertEquals(info.undeliveredBytes, 0);
  const expected = [...Array.from({ length: 10 }, (_, n) => `message ${n}`), "after all"];
  assertEquals(texts(transport), expected);
  assertEquals([connection.stats.messagesSent, connection.stats.messagesDropped], [11, 5]);
});

Deno.test('Connection with slowConsumer "drop-oldest" drops the oldest that wait, and counts them', async () => {
  const transport = new FakeTransport({ takes: 100, endsInReply: true });
  const connection = new Connection(transport, {
    framing: "u16be",
    maxPendingBytes: 400_000,
    slowConsumer: "drop-oldest",
  });
  const total = 3000;
  for (let n = 0; n < total; n++) {
    const message = new Uint8Array(998);
    new DataView(message.buffer).setUint32(0, n);
    connection.send(message);
    assertLessOrEqual(connection.stats.bufferedBytes, 400_000);
  }
  transport.take(Infinity);
  await connection.close();
  const seen = frames(transport.written, 1000).map((frame) =>
    new DataView(frame.buffer).getUint32(2)
  );
  assertEquals(seen[0], 0, "what is on its way is not taken back");
  assertEquals(seen.at(-1), total - 1, "the newest is kept");
  assert(seen.every((n, at) => at === 0 || n > seen[at - 1]), "the order is kept");
  assertGreater(seen.length, 250);
  assertEquals(connection.stats.messagesSent, seen.length);
  assertEquals(connection.stats.messagesDropped, total - seen.length);
});

Deno.test('Connection with slowConsumer "drop-oldest" keeps what waits when the new message is too large by itself', async () => {
  const transport = new FakeTransport({ takes: 0, endsInReply: true });
  const connection = new Connection(transport, {
    framing: "u32be",
    maxPendingBytes: 200_000,
    slowConsumer: "drop-oldest",
  });
  for (let n = 0; n < 3; n++) connection.send(new Uint8Array(59_996));
  connection.send(new Uint8Array(300_000));
  assertEquals(connection.stats.messagesDropped, 1);
  transport.take(Infinity);
  await connection.close();
  assertEquals(transport.written.length, 180_000);
});

Deno.test('Connection with slowConsumer "drop-oldest" counts what messages of their own cost, too', async () => {
  await using server = await listen("udp://127.0.0.1:0", () => {});
  await using connection = await connect(server.endpoints[0], {
    highWaterMark: 100,
    maxPendingBytes: 1000,
    slowConsumer: "drop-oldest",
  });
  connection.send(new Uint8Array(500));
  connection.send(new Uint8Array(490)); // fits beside the first one's bytes, not beside its cost
  assertEquals(connection.stats.messagesDropped, 1);
});

Deno.test("Connection: whoever awaits each send() never reaches maxPendingBytes", async () => {
  const transport = new FakeTransport({ takes: 0, endsInReply: true });
  const connection = new Connection(transport, SMALL);
  const sending = (async () => {
    for (let n = 0; n < 100; n++) await connection.send("x".repeat(n));
    await connection.send(new Uint8Array(255));
  })();
  for (let open = true; open; open = !await settled(sending)) transport.take(37);
  transport.take(Infinity);
  assertEquals((await connection.close()).clean, true);
  assertEquals(connection.stats.messagesSent, 101);
});

Deno.test("Connection takes a single message above maxPendingBytes when nothing waits", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, SMALL);
  await connection.send(new Uint8Array(255));
  assertEquals(transport.written.length, 256);
});

// Unread.

/** So many turns that all is read that may be: where nobody takes it, a chunk is read in each. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n++) await turn();
}

Deno.test("Connection stops reading at maxUnreadBytes, and goes on when half of them are taken", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u8", maxUnreadBytes: 656 });
  // Each counts 100 + 64.
  for (let n = 0; n < 9; n++) transport.arrive([100, ...pattern(100)]);
  await turns();
  assertEquals([transport.reads, transport.reading], [4, false]);
  const { unreadMessages, unreadBytes } = connection.stats;
  assertEquals([unreadMessages, unreadBytes], [4, 400]);
  await connection.receive();
  await turns();
  assertEquals(transport.reads, 4);
  await connection.receive();
  await turns();
  assertEquals([transport.reads, connection.stats.unreadMessages], [6, 4]);
  for await (const _ of connection) if (connection.stats.messagesReceived === 9) break;
  await turns();
  assertEquals([transport.reads, transport.reading], [10, true]);
});

Deno.test("Connection goes on reading after a batch is taken, or after close()", async () => {
  for (const goOn of ["batches", "close"] as const) {
    const transport = new FakeTransport({ endsInReply: true });
    const connection = new Connection(transport, { maxUnreadBytes: 1 });
    transport.arrive(HELLO);
    await turn();
    assertEquals(transport.reading, false);
    if (goOn === "batches") await connection.batches().next();
    else connection.close();
    await turn();
    assertEquals(transport.reads, 2);
    await connection.close();
  }
});

Deno.test("Connection bounds a flood of empty messages too", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport, { maxUnreadBytes: 6400 });
  for (let n = 0; n < 20; n++) transport.arrive(new Uint8Array(40));
  await turns();
  assertEquals([transport.reads, connection.stats.unreadMessages], [10, 100]);
  transport.failRead("done");
});

Deno.test("Connection lets a peer wait that sends more than is read, and loses nothing", async () => {
  await using pair = await rawPair({ framing: "u16be", maxUnreadBytes: 100_000 });
  const total = 3000;
  const sending = (async () => {
    const frame = pattern(10_002);
    frame.set([10_000 >> 8, 10_000 & 255]);
    for (let n = 0; n < total; n++) await pair.peer.send(frame);
    await pair.peer.closeWrite();
  })();
  const body = pattern(10_002).subarray(2);
  let seen = 0;
  for await (const message of pair.connection) {
    // Up to the limit, and what the last chunk brought.
    assertLess(pair.connection.stats.unreadBytes, 100_000 + 65_536 + 10_000);
    if (seen++ % 500 === 0) assertEquals(message, body);
  }
  assertEquals(seen, total);
  await sending;
});

Deno.test("Connection's frameTimeout does not run while this end holds back", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, { frameTimeout: 50, maxUnreadBytes: 1 });
  transport.arrive([...HELLO, ...HELLO.slice(0, 6)]);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assertEquals(connection.state, "open");
  await connection.receive();
  const error = await assertRejects(() => connection.receive(), FrameTimeoutError);
  assertEquals(
    error.message,
    "Cannot receive message from fake:2: it was not finished within 50 ms, 6 bytes had arrived",
  );
  assertEquals((await connection.closed).error, error);
});

// Counts and options.

Deno.test("Connection.stats counts messages and bytes each way", async () => {
  await using pair = await rawPair();
  const before = Date.now();
  pair.connection.send("HELLO");
  pair.connection.send("");
  await pair.peer.receive(13);
  await pair.peer.send([...HELLO, ...HELLO, 0, 0]);
  await pair.connection.receive();
  while (pair.connection.stats.bytesReceived < 20) await turn();
  const { openedAt, lastSeenAt, ...counts } = pair.connection.stats;
  assertEquals(counts, {
    messagesReceived: 2,
    messagesSent: 2,
    messagesDropped: 0,
    messagesRefused: 0,
    messagesMissed: 0,
    bytesReceived: 20,
    bytesSent: 13,
    bufferedBytes: 0,
    unreadBytes: 5,
    unreadMessages: 1,
  });
  assertLessOrEqual(openedAt, lastSeenAt);
  assertLessOrEqual(before - 1000, openedAt);
});

Deno.test("Connection.id is never used again", async () => {
  const ids: number[] = [];
  for (let n = 0; n < 100; n++) {
    const connection = new Connection(new FakeTransport({ endsInReply: true }));
    ids.push(connection.id);
    await connection.close();
  }
  assertEquals(new Set(ids).size, 100);
  assert(ids.every((id, at) => at === 0 || id > ids[at - 1]));
});

Deno.test("Connection refuses limits out of range, and names them", () => {
  const wrong: [ConnectionOptions, RegExp][] = [
    [{ maxMessageBytes: -1 }, /^Cannot use maxMessageBytes -1: it must be an integer from 0/],
    [
      { frameTimeout: 0 },
      /^Cannot use frameTimeout 0: it must be an integer from 1 to 2147483647$/,
    ],
    [{ writeTimeout: 2 ** 31 }, /^Cannot use writeTimeout 2147483648:/],
    [{ closeTimeout: 1.5 }, /^Cannot use closeTimeout 1.5:/],
    [{ maxUnreadBytes: 0 }, /^Cannot use maxUnreadBytes 0:/],
    [{ highWaterMark: NaN }, /^Cannot use highWaterMark NaN:/],
    [{ maxPendingBytes: Infinity }, /^Cannot use maxPendingBytes Infinity:/],
  ];
  for (const [options, message] of wrong) {
    const error = assertThrows(() => new Connection(new FakeTransport(), options), RangeError);
    assert(message.test(error.message), error.message);
  }
  const unknown = { slowConsumer: "drop" } as unknown as ConnectionOptions;
  assertThrows(() => resolveLimits(unknown, 0), TypeError, 'Cannot use slowConsumer "drop"');
  const conflict = assertThrows(() => resolveLimits({ maxPendingBytes: 10 }, 0), TypeError);
  assertInstanceOf(conflict, TypeError);
  assert(/highWaterMark 65536 together with maxPendingBytes 10/.test(conflict.message));
});

/** The texts of the frames that were written, with framing u8. */
function texts(transport: FakeTransport): string[] {
  const texts: string[] = [];
  const { written } = transport;
  for (let at = 0; at < written.length; at += 1 + written[at]) {
    texts.push(new TextDecoder().decode(written.subarray(at + 1, at + 1 + written[at])));
  }
  return texts;
}

/** Frames of one size. */
function frames(written: Uint8Array, frameBytes: number): Uint8Array[] {
  assertEquals(written.length % frameBytes, 0);
  return Array.from(
    { length: written.length / frameBytes },
    (_, n) => written.slice(n * frameBytes, (n + 1) * frameBytes),
  );
}
