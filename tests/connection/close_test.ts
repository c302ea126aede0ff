/** The guarantees of `Connection`'s class doc: half-closing, closing, aborting, what is lost when. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { connect } from "../../client.ts";
import { type CloseInfo, Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError, TruncatedMessageError } from "../../errors.ts";
import { listen } from "../../server.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { connectResettable, rawPair } from "../support/raw.ts";
import { allTexts, asText, receiveText } from "../support/texts.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];
const HI = [0, 0, 0, 2, 104, 105];
const CLEAN: CloseInfo = { clean: true, undeliveredBytes: 0, unreadBytes: 0 };

// Half-closing.

Deno.test("Connection.closeWrite() flushes, tells the peer, and receiving goes on", async () => {
  await using pair = await rawPair();
  pair.connection.send("HELLO");
  await pair.connection.closeWrite();
  assertEquals([...await pair.peer.receive(100)], HELLO);
  await pair.peer.send(HI);
  assertEquals(await receiveText(pair.connection), "hi");
  assertEquals(pair.connection.state, "open");
  await pair.peer.closeWrite();
  assertEquals(await pair.connection.closed, CLEAN);
});

Deno.test("Connection closes once both ends have half-closed, whichever was first", async () => {
  await using pair = await rawPair();
  await pair.peer.send(HELLO);
  await pair.peer.closeWrite();
  await turn();
  await pair.connection.closeWrite();
  assertEquals(await pair.connection.closed, CLEAN);
  assertEquals(await allTexts(pair.connection), ["HELLO"]);
});

Deno.test("Connection.closeWrite() may be called twice, and waits for a slow peer", async () => {
  const transport = new FakeTransport({ takes: 3 });
  await using connection = new Connection(transport);
  connection.send("HELLO");
  const flushed = Promise.all([connection.closeWrite(), connection.closeWrite()]);
  await turn();
  assertEquals(transport.state, "open");
  transport.take(100);
  await flushed;
  assertEquals(transport.state, "write-closed");
  assertEquals([...transport.written], HELLO);
  transport.end();
});

Deno.test("Connection.send() after closeWrite() rejects with ConnectionClosedError", async () => {
  await using pair = await rawPair();
  await pair.connection.closeWrite();
  const error = await assertRejects(() => pair.connection.send("late"), ConnectionClosedError);
  assertEquals(error.message, `Cannot send to ${pair.peer.address}: connection is half-closed`);
});

// Closing.

Deno.test("Connection.close() flushes, half-closes and waits for the peer's end", async () => {
  await using pair = await rawPair();
  pair.connection.send("HELLO");
  const closing = pair.connection.close();
  assertEquals(pair.connection.state, "closing");
  assertEquals([...await pair.peer.receive(100)], HELLO);
  assertEquals(pair.connection.state, "closing");
  await pair.peer.closeWrite();
  assertEquals(await closing, CLEAN);
  assertEquals(pair.connection.state, "closed");
});

Deno.test("Connection.close() ends iteration; what was not read is counted and dropped", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport);
  transport.arrive([...HELLO, ...HI]);
  await turn();
  const closing = connection.close();
  assertEquals(await connection.receive(), undefined);
  assertEquals(await allTexts(connection), []);
  assertEquals(await closing, { clean: true, undeliveredBytes: 0, unreadBytes: 7 });
});

Deno.test("Connection.close() counts as unread what arrives of a message after it, and before", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  transport.arrive(HELLO.slice(0, 6));
  await turn();
  const closing = connection.close();
  transport.arrive(HELLO.slice(6));
  transport.end();
  assertEquals((await closing).unreadBytes, HELLO.length);
});

Deno.test("Connection.close() while a reader waits gives it the end", async () => {
  await using pair = await rawPair();
  const readers = [pair.connection.receive(), pair.connection.receive()];
  const loop = allTexts(pair.connection);
  const closing = pair.connection.close();
  assertEquals(await Promise.all(readers), [undefined, undefined]);
  assertEquals(await loop, []);
  pair.peer.close();
  assertEquals(await closing, CLEAN);
});

Deno.test("Connection.close() while a send waits lets it leave", async () => {
  const transport = new FakeTransport({ takes: 10, endsInReply: true });
  const connection = new Connection(transport, { framing: "none", highWaterMark: 5 });
  const sending = connection.send("HELLO HELLO");
  const closing = connection.close();
  await turn();
  transport.take(1);
  await sending;
  assertEquals(await closing, CLEAN);
  assertEquals(asText(transport.written), "HELLO HELLO");
});

Deno.test("Connection.close() twice: the first outcome stands", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  const first = connection.close({ code: 1, reason: "first" });
  const second = connection.close({ code: 2, reason: "second" });
  transport.end();
  const expected = { clean: true, code: 1, reason: "first", undeliveredBytes: 0, unreadBytes: 0 };
  assertEquals([await first, await second], [expected, expected]);
  connection.abort(new Error("too late"));
  assertEquals(await connection.close({ code: 3 }), expected);
  assertEquals(await connection.closed, expected);
});

Deno.test("Connection.close() is over after closeTimeout when the peer never ends", async () => {
  await using pair = await rawPair({ closeTimeout: 50 });
  const info = await pair.connection.close();
  assertEquals([info.clean, info.undeliveredBytes], [false, 0]);
  assertInstanceOf(info.error, ConnectionLostError);
  assertEquals(
    info.error.message,
    `Cannot close connection to ${pair.peer.address} in order: it did not close within 50 ms`,
  );
});

Deno.test("Connection.close() is over after closeTimeout when the peer talks without end", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, { closeTimeout: 50 });
  const closing = connection.close();
  let open = true;
  closing.then(() => open = false);
  for (; open; await turn()) transport.arrive(HELLO);
  assertInstanceOf((await closing).error, ConnectionLostError);
});

Deno.test("Connection.close() tells what did not leave within closeTimeout", async () => {
  const transport = new FakeTransport({ takes: 4 });
  const connection = new Connection(transport, { closeTimeout: 50, highWaterMark: 1 });
  const sending = connection.send("HELLO");
  const info = await connection.close();
  assertEquals([info.clean, info.undeliveredBytes], [false, 5]);
  await assertRejects(() => sending, ConnectionLostError, "did not read everything within 50 ms");
});

Deno.test("Connection.send() after close() rejects with ConnectionClosedError", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport);
  const closing = connection.close();
  await assertRejects(() => connection.send("late"), ConnectionClosedError, "is closing");
  await closing;
  await assertRejects(() => connection.send("late"), ConnectionClosedError, "is closed");
  assertEquals(transport.chunks, []);
});

Deno.test("Connection closes when the scope of await using ends, with everything flushed", async () => {
  const received: (string | undefined)[] = [];
  const ended = Promise.withResolvers<CloseInfo>();
  await using server = await listen("127.0.0.1:0", async (connection) => {
    for await (const message of connection) received.push(asText(message));
    ended.resolve(await connection.close());
  });
  let outer: Connection;
  {
    await using connection = await connect(server.endpoints[0]);
    connection.send("one");
    connection.send("two");
    outer = connection;
  }
  assertEquals(outer.state, "closed");
  assertEquals(await outer.closed, CLEAN);
  assertEquals(await ended.promise, CLEAN);
  assertEquals(received, ["one", "two"]);
});

Deno.test("Connection.close() with messages dropped by a policy is not clean", async () => {
  const transport = new FakeTransport({ takes: 4, endsInReply: true });
  const connection = new Connection(transport, {
    highWaterMark: 8,
    maxPendingBytes: 8,
    slowConsumer: "drop-newest",
  });
  connection.send("kept");
  connection.send("dropped");
  transport.take(100);
  const info = await connection.close();
  assertEquals(connection.stats.messagesDropped, 1);
  assertEquals(info.clean, false);
});

// Aborting.

Deno.test("Connection.abort() ends at once; readers and waiting sends get the reason", async () => {
  const transport = new FakeTransport({ takes: 4 });
  const connection = new Connection(transport, { highWaterMark: 1 });
  const reading = connection.receive();
  const sending = connection.send("HELLO");
  const reason = new Error("enough");
  connection.abort(reason);
  assertEquals([connection.state, transport.state], ["closed", "closed"]);
  assertEquals(await assertRejects(() => reading), reason);
  assertEquals(await assertRejects(() => sending), reason);
  assertEquals(await assertRejects(() => connection.receive()), reason);
  assertEquals(await assertRejects(() => allTexts(connection)), reason);
  const info = await connection.closed;
  assertEquals([info.clean, info.error], [false, reason]);
});

Deno.test("Connection.abort() without a reason gives ConnectionClosedError", async () => {
  await using pair = await rawPair();
  const reading = pair.connection.receive();
  pair.connection.abort();
  const error = await assertRejects(() => reading, ConnectionClosedError);
  assertEquals(error.message, `Cannot use connection to ${pair.peer.address}: it was aborted`);
});

Deno.test("Connection.abort() drops and counts what was not read, and readers get the reason", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  transport.arrive([...HELLO, ...HI]);
  await turn();
  const reason = new Error("enough");
  connection.abort(reason);
  assertEquals(await assertRejects(() => connection.receive()), reason);
  assertEquals((await connection.closed).unreadBytes, 7);
});

Deno.test("Connection.abort() after the peer's end, with messages unread: readers get the reason", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  transport.arrive([...HELLO, ...HI]);
  transport.end();
  assertEquals(await receiveText(connection), "HELLO");
  const reason = new Error("enough");
  connection.abort(reason);
  assertEquals(await assertRejects(() => connection.receive()), reason);
});

Deno.test("Connection.abort() during close() ends it at once", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  const closing = connection.close();
  const reason = new Error("enough");
  connection.abort(reason);
  assertEquals((await closing).error, reason);
});

Deno.test("Connection.abort() twice: the first outcome stands", async () => {
  const connection = new Connection(new FakeTransport());
  connection.abort("first");
  connection.abort("second");
  assertEquals((await connection.close()).error, "first");
});

// Signals.

Deno.test("Connection option signal aborts with the signal's reason", async () => {
  const controller = new AbortController();
  await using pair = await rawPair({ signal: controller.signal });
  const reading = pair.connection.receive();
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
  assertEquals((await pair.connection.closed).error, reason);
});

Deno.test("Connection option signal that is aborted already closes the transport", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, { signal: AbortSignal.abort("early") });
  assertEquals((await connection.closed).error, "early");
  assertEquals(transport.state, "closed");
});

Deno.test("Connection.signal is aborted when the connection has ended, with what it ended with", async () => {
  await using pair = await rawPair();
  const { signal } = pair.connection;
  assertEquals(signal.aborted, false);
  await pair.peer.send(HELLO.slice(0, 3));
  await pair.peer.closeWrite();
  const { error } = await pair.connection.closed;
  assertInstanceOf(error, TruncatedMessageError);
  assertEquals(signal.reason, error);
});

Deno.test("Connection.signal has a ConnectionClosedError as its reason after close(), also when asked late", async () => {
  for (const early of [true, false]) {
    const connection = new Connection(new FakeTransport({ endsInReply: true }));
    const asked = early ? connection.signal : undefined;
    await connection.close();
    const signal = asked ?? connection.signal;
    assert(signal.aborted);
    assertInstanceOf(signal.reason, ConnectionClosedError);
  }
});

// What is lost when.

Deno.test("Connection.closed counts the bytes that did not leave, to the byte", async () => {
  const total = 2 * HELLO.length + 100_004;
  for (const taken of [0, 1, 9, 12, 18, 30, 65_536, 70_000, total]) {
    const transport = new FakeTransport({ takes: taken });
    const connection = new Connection(transport);
    connection.send("HELLO");
    connection.send("HELLO");
    connection.send(new Uint8Array(100_000));
    await turn();
    assertEquals(connection.stats.bufferedBytes, total - taken);
    connection.abort();
    assertEquals((await connection.closed).undeliveredBytes, total - taken);
  }
});

Deno.test("Connection throws ConnectionLostError, or ends, when the peer resets", async () => {
  await using server = await listen("127.0.0.1:0");
  const connections = server[Symbol.asyncIterator]();
  const socket = await connectResettable(server.endpoints[0]);
  const { value: connection } = await connections.next();
  assert(connection !== undefined);
  socket.write(Uint8Array.from(HELLO));
  assertEquals(await receiveText(connection), "HELLO");
  socket.resetAndDestroy();
  // The system may tell a reset as an orderly end; what follows then is a send that fails.
  const outcome = await connection.receive().catch((error) => error);
  if (outcome !== undefined) assertInstanceOf(outcome, ConnectionLostError);
  connection.send("to nobody");
  await connection.close();
});

Deno.test("Connection still gives what the peer said before it went, when sending fails", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport);
  const cause = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  transport.failWrites(cause);
  connection.send("HELLO");
  await turn();
  assertEquals(connection.state, "open");
  const error = await assertRejects(() => connection.send("more"), ConnectionLostError);
  assertEquals([error.message, error.cause], ["Cannot send to fake:2: broken pipe", cause]);
  transport.arrive(HI);
  transport.end();
  assertEquals(await receiveText(connection), "hi");
  const info = await connection.closed;
  assertEquals([info.clean, info.error, info.undeliveredBytes], [false, error, HELLO.length]);
});

Deno.test("Connection is over after closeTimeout when sending fails and the peer says nothing", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, { closeTimeout: 50 });
  transport.failWrites(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
  connection.send("HELLO");
  const error = await assertRejects(() => connection.receive(), ConnectionLostError);
  assertEquals(error.message, "Cannot send to fake:2: broken pipe");
  assertEquals((await connection.closed).undeliveredBytes, HELLO.length);
});

Deno.test("Connection closes by itself when the peer has ended and nothing was sent for halfOpenTimeout", async () => {
  await using pair = await rawPair({ halfOpenTimeout: 150 });
  await pair.peer.closeWrite();
  assertEquals(await pair.connection.receive(), undefined);
  // Each message starts the time anew.
  let [sent, lastAt] = [0, 0];
  const sending = setInterval(() => {
    lastAt = performance.now();
    pair.connection.send("late answer");
    if (++sent === 6) clearInterval(sending);
  }, 50);
  await pair.peer.drain();
  const { clean, reason } = await pair.connection.closed;
  assertEquals(sent, 6);
  assert(performance.now() - lastAt > 149);
  assertEquals(clean, true);
  assertEquals(reason, "the peer ended, and nothing was sent for 150 ms");
});
