/** What a server counts beyond the end of its connections. */

import { assertEquals, assertGreater } from "@std/assert";
import { connect } from "../../client.ts";
import type { CloseInfo } from "../../connection.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  FrameTimeoutError,
  InvalidMessageError,
  MessageTooLargeError,
  SessionLostError,
  SlowConsumerError,
  TruncatedMessageError,
} from "../../errors.ts";
import { END_REASONS, endReason } from "../../listen/ends.ts";
import { type EndReason, listen, type ListenOptions, type Server } from "../../server.ts";
import { turn } from "../support/fake_transport.ts";
import { connectResettable, RawPeer } from "../support/raw.ts";

/** An echo server. */
function echo(endpoint: string, options: ListenOptions = {}): Promise<Server> {
  return listen(endpoint, { onError() {}, ...options }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

/** What was counted, without what was not. */
function told<K extends string>(counts: Readonly<Record<K, number>>): Partial<Record<K, number>> {
  return Object.fromEntries(
    Object.entries<number>(counts).filter(([_, count]) => count > 0),
  ) as Partial<Record<K, number>>;
}

/** Waits until so many connections have come, and all of them have gone. */
async function empty(server: Server, accepted: number): Promise<void> {
  while (server.stats.accepted < accepted || server.connections.size > 0) await turn();
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count);

Deno.test("Server.stats sums messages and bytes each way over connections that are open and that have ended", async () => {
  await using server = await echo("tcp://127.0.0.1:0");
  for (let n = 1; n <= 2; n++) {
    const connection = await connect(server.endpoints[0]);
    for (const text of ["HELLO", "", "you"]) {
      await connection.send(text);
      await connection.receive();
    }
    const { open, messagesReceived, messagesSent, bytesReceived, bytesSent } = server.stats;
    assertEquals([open, messagesReceived, messagesSent], [1, 3 * n, 3 * n]);
    assertEquals([bytesReceived, bytesSent], [20 * n, 20 * n]);
    await connection.close();
    await empty(server, n);
    const { ended, lifetimes, messagesReceived: still } = server.stats;
    assertEquals([told(ended), sumOf(lifetimes.counts), still], [{ clean: n }, n, 3 * n]);
  }
});

Deno.test("Server.stats counts what waits now", async () => {
  await using server = await listen("tcp://127.0.0.1:0");
  await using client = await connect(server.endpoints[0]);
  await client.send("HELLO");
  while (server.stats.unreadMessages === 0) await turn();
  assertEquals([server.stats.unreadMessages, server.stats.unreadBytes], [1, 5]);
  const [connection] = server.connections;
  await connection.receive();
  assertEquals([server.stats.unreadMessages, server.stats.unreadBytes], [0, 0]);
  await Promise.all([connection.close(), client.close()]);
});

const ENDS: readonly (readonly [EndReason, (endpoint: string) => Promise<unknown>])[] = [
  ["lost", async (endpoint) => {
    const socket = await connectResettable(endpoint);
    socket.resetAndDestroy();
  }],
  ["truncated", async (endpoint) => {
    using peer = await RawPeer.connect(endpoint);
    await peer.send([0, 0, 0, 5, 1]);
  }],
  ["tooLarge", async (endpoint) => {
    using peer = await RawPeer.connect(endpoint);
    await peer.send("GET / HTTP/1.1\r\n\r\n");
    await peer.drain();
  }],
  ["frameTimeout", async (endpoint) => {
    using peer = await RawPeer.connect(endpoint);
    await peer.send([0, 0]);
    await peer.drain();
  }],
];

for (const [reason, come] of ENDS) {
  Deno.test(`Server.stats counts an end that is ${reason}`, async () => {
    await using server = await echo("tcp://127.0.0.1:0", { frameTimeout: 50 });
    await come(server.endpoints[0]);
    await empty(server, 1);
    assertEquals(told(server.stats.ended), { [reason]: 1 });
  });
}

Deno.test("Server.stats counts as other what a handler has thrown, and as aborted what the grace time has ended", async () => {
  const server = await listen("tcp://127.0.0.1:0", { onError() {} }, async (connection) => {
    if (server.stats.accepted === 1) throw new Error("a mistake");
    await connection.closed;
  });
  const first = await connect(server.endpoints[0]);
  await first.receive();
  await first.close();
  await using _second = await connect(server.endpoints[0]);
  while (server.stats.accepted < 2) await turn();
  await server.close({ grace: 0 });
  const { ended, handlerErrors } = server.stats;
  assertEquals([told(ended), handlerErrors], [{ other: 1, aborted: 1 }, 1]);
});

Deno.test("Server.stats counts dropped messages by cause", async () => {
  await using server = await listen("tcp://127.0.0.1:0", {
    maxPendingBytes: 65_536,
    slowConsumer: "drop-newest",
  });
  await using client = await connect(server.endpoints[0]);
  while (server.connections.size === 0) await turn();
  const [connection] = server.connections;
  await connection.send("not dropped");
  for (let n = 0; n < 200; n++) connection.offer(new Uint8Array(60_000));
  assertGreater(server.stats.drops.slowConsumer, 0);
  connection.abort();
  await connection.send("too late").catch(() => {});
  assertEquals(server.stats.drops.refused, 1);
  client.abort();
});

Deno.test("Server.stats counts as stray the datagrams of a peer that was refused", async () => {
  await using server = await echo("udp://127.0.0.1:0", { maxConnections: 1 });
  await using first = await connect(server.endpoints[0]);
  await first.send("1");
  await first.receive();
  await using second = await connect(server.endpoints[0]);
  await second.send("2");
  while (server.stats.refused < 1) await turn();
  await second.send("3");
  while (server.stats.drops.stray < 1) await turn();
  assertEquals(told(server.stats.drops), { stray: 1 });
});

Deno.test("Server.stats has the round trips of sessions", async () => {
  await using server = await echo("tcp://127.0.0.1:0", { session: true });
  await using session = await connect(server.endpoints[0], { session: true });
  await session.send("HELLO");
  await session.receive();
  while (sumOf(server.stats.roundTripTimes.counts) === 0) await turn();
  const { bounds, counts, sum } = server.stats.roundTripTimes;
  assertEquals([counts.length, sum > 0], [bounds.length + 1, true]);
});

Deno.test("Server.stats has the round trips of WebSockets that were asked while they were silent", async () => {
  await using server = await echo("ws://127.0.0.1:0", { pingInterval: 20, pongTimeout: 500 });
  await using _client = await connect(server.endpoints[0]);
  while (sumOf(server.stats.roundTripTimes.counts) === 0) await turn();
  assertEquals(server.stats.open, 1);
});

Deno.test("endReason() has one of a list of reasons for every end", () => {
  const errors: [unknown, EndReason][] = [
    [undefined, "undelivered"],
    [new ConnectionLostError("reset", { cause: new Error() }), "lost"],
    [new ConnectionLostError("it did not read"), "silent"],
    [new SessionLostError("gone", { code: 2, messages: [] } as never), "sessionLost"],
    [new SlowConsumerError("slow"), "slowConsumer"],
    [new MessageTooLargeError("receive", 2, 1), "tooLarge"],
    [new TruncatedMessageError(1, 2, "body"), "truncated"],
    [new FrameTimeoutError("late"), "frameTimeout"],
    [new InvalidMessageError("not JSON"), "protocol"],
    [new ConnectionClosedError("closed"), "aborted"],
    [new Error("of the program"), "other"],
    ["anything", "other"],
  ];
  const info: CloseInfo = { clean: false, undeliveredBytes: 0, unreadBytes: 0 };
  const found = errors.map(([error]) => endReason({ ...info, error }));
  assertEquals(found, errors.map(([_, reason]) => reason));
  assertEquals(endReason({ ...info, clean: true }), "clean");
  assertEquals(new Set([...found, "clean"]), new Set(END_REASONS));
});
