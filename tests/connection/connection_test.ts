/** The guarantees of `Connection`'s class doc: order, boundaries, receiving, sending. */

import { assert, assertEquals, assertGreater, assertInstanceOf, assertRejects } from "@std/assert";
import { connect } from "../../client.ts";
import { framing } from "../../codec.ts";
import { Connection } from "../../connection.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  InvalidMessageError,
  MessageTooLargeError,
  TruncatedMessageError,
} from "../../errors.ts";
import { listen } from "../../server.ts";
import { memoryPair } from "../../testing.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { ascii, pattern, rawPair } from "../support/raw.ts";
import { allTexts, asText, receiveText } from "../support/texts.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];
const HI = [0, 0, 0, 2, 104, 105];
const EMPTY = [0, 0, 0, 0];

/** A server that sends back what it gets. */
function echo() {
  return listen("127.0.0.1:0", { maxMessageBytes: 4 * 1024 * 1024 }, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

// Order and boundaries.

Deno.test("Connection delivers messages whole and in the order in which they were sent", async () => {
  await using server = await echo();
  await using connection = await connect(server.endpoints[0]);
  const sizes = [0, 1, 1019, 1020, 1021, 65_531, 65_532, 65_533, 0, 3_000_000, 2, 131_072];
  for (const [seed, bytes] of sizes.entries()) connection.send(pattern(bytes, seed));
  for (const [seed, bytes] of sizes.entries()) {
    assertEquals(await connection.receive(), pattern(bytes, seed), `message of ${bytes} bytes`);
  }
});

Deno.test("Connection keeps the boundaries however the bytes were cut", async () => {
  await using pair = await rawPair();
  await pair.peer.sendByteByByte([...HELLO, ...EMPTY, ...HI]);
  await pair.peer.send([...HELLO, ...HELLO, ...HI.slice(0, 5)]);
  await pair.peer.send(HI.slice(5));
  await pair.peer.closeWrite();
  assertEquals(await allTexts(pair.connection), ["HELLO", "", "hi", "HELLO", "HELLO", "hi"]);
});

Deno.test("Connection sends exactly the frame and nothing else", async () => {
  await using pair = await rawPair({ framing: "u16le" });
  pair.connection.send("HELLO");
  pair.connection.send(new Uint8Array(0));
  pair.connection.send(new Uint8Array([1, 2, 3]));
  assertEquals([...await pair.peer.receive(14)], [5, 0, ...ascii("HELLO"), 0, 0, 3, 0, 1, 2, 3]);
});

Deno.test("Connection with framing none keeps the order and no boundaries", async () => {
  await using pair = await rawPair({ framing: "none" });
  pair.connection.send("abc");
  pair.connection.send("");
  pair.connection.send("def");
  assertEquals(asText(await pair.peer.receive(6)), "abcdef");
  await pair.peer.send("one");
  await pair.peer.send("two");
  await pair.peer.closeWrite();
  assertEquals((await allTexts(pair.connection)).join(""), "onetwo");
});

// Receiving.

Deno.test("Connection.receive() gives undefined at the end, and goes on doing so", async () => {
  await using pair = await rawPair();
  await pair.peer.send(HELLO);
  await pair.peer.closeWrite();
  assertEquals(await receiveText(pair.connection), "HELLO");
  assertEquals(await pair.connection.receive(), undefined);
  assertEquals(await pair.connection.receive(), undefined);
});

Deno.test("Connection serves several readers in the order in which they asked, each message once", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport);
  const order: string[] = [];
  const read = async (reader: string) => {
    order.push(`${reader}:${await receiveText(connection)}`);
  };
  const readers = ["a", "b", "c", "d", "e"].map(read);
  transport.arrive([...HELLO, ...HI, ...EMPTY]);
  transport.arrive(HELLO);
  transport.end();
  await Promise.all(readers);
  assertEquals(order, ["a:HELLO", "b:hi", "c:", "d:HELLO", "e:undefined"]);
});

Deno.test("Connection shares its messages among loops, receive() and batches()", async () => {
  await using pair = await rawPair({ framing: "u8" });
  const seen: number[] = [];
  const loop = async () => {
    for await (const message of pair.connection) seen.push(message[0]);
  };
  const calls = async () => {
    for (let message; (message = await pair.connection.receive()) !== undefined;) {
      seen.push(message[0]);
    }
  };
  const batches = async () => {
    for await (const batch of pair.connection.batches()) {
      for (const message of batch) seen.push(message[0]);
    }
  };
  const readers = [loop(), calls(), batches(), loop(), calls(), batches()];
  for (let n = 0; n < 200; n++) await pair.peer.send([1, n]);
  await pair.peer.closeWrite();
  await Promise.all(readers);
  assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 200 }, (_, n) => n));
});

Deno.test("Connection: break out of for await does not close; a later loop goes on with the next message", async () => {
  await using pair = await rawPair();
  await pair.peer.send([...HELLO, ...HI, ...EMPTY]);
  for await (const message of pair.connection) {
    assertEquals(asText(message), "HELLO");
    break;
  }
  assertEquals(pair.connection.state, "open");
  assertEquals(await receiveText(pair.connection), "hi");
  await pair.peer.closeWrite();
  assertEquals(await allTexts(pair.connection), [""]);
});

Deno.test("Connection.batches() gives one array, never empty, per chunk that completed any", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport);
  transport.arrive([...HELLO, ...HI]);
  transport.arrive(HELLO.slice(0, 6));
  transport.arrive([...HELLO.slice(6), ...EMPTY]);
  transport.end();
  const batches: (string | undefined)[][] = [];
  for await (const batch of connection.batches()) batches.push(batch.map(asText));
  assertEquals(batches, [["HELLO", "hi"], ["HELLO", ""]]);
});

Deno.test("Connection.receiveAll() gives all messages until the peer ends", async () => {
  await using pair = await rawPair();
  await pair.peer.send([...HELLO, ...HI, ...EMPTY]);
  assertEquals(await receiveText(pair.connection), "HELLO");
  const rest = pair.connection.receiveAll({ maxBytes: 7 });
  await pair.peer.send(HELLO);
  await pair.peer.closeWrite();
  assertEquals((await rest).map(asText), ["hi", "", "HELLO"]);
  assertEquals(await pair.connection.receiveAll(), []);
});

Deno.test("Connection.receiveAll() bounds the number of tiny messages too", async () => {
  await using pair = await rawPair();
  const all = pair.connection.receiveAll({ maxBytes: 7 });
  await pair.peer.send(Array(4 * 1025).fill(0));
  await assertRejects(() => all, MessageTooLargeError, "1025 messages together");
});

Deno.test("Connection.receiveAll() aborts the connection above its limit", async () => {
  await using pair = await rawPair();
  const all = pair.connection.receiveAll({ maxBytes: 7 });
  await pair.peer.send([...HELLO, ...HI]);
  await pair.peer.send([0, 0, 0, 1, 33]);
  const error = await assertRejects(() => all, MessageTooLargeError);
  assertEquals([error.size, error.limit], [8, 7]);
  assertEquals((await pair.connection.closed).error, error);
});

// The peer's end.

Deno.test("Connection ends iteration without error after the last message when the peer closes in order", async () => {
  await using pair = await rawPair();
  await pair.peer.send([...HELLO, ...HI]);
  await pair.peer.closeWrite();
  assertEquals(await allTexts(pair.connection), ["HELLO", "hi"]);
  assertEquals(pair.connection.state, "open");
});

Deno.test("Connection can send after the peer's end, until close()", async () => {
  await using pair = await rawPair();
  await pair.peer.closeWrite();
  assertEquals(await pair.connection.receive(), undefined);
  pair.connection.send("HELLO");
  assertEquals([...await pair.peer.receive(9)], HELLO);
  const info = await pair.connection.close();
  assertEquals(info, { clean: true, undeliveredBytes: 0, unreadBytes: 0 });
  assertEquals(await pair.peer.drain(), 0);
});

Deno.test("Connection throws TruncatedMessageError for a stream that ends inside a message, after the messages before it", async () => {
  await using pair = await rawPair();
  await pair.peer.send([...HELLO, ...HI.slice(0, 5)]);
  await pair.peer.closeWrite();
  assertEquals(await receiveText(pair.connection), "HELLO");
  const error = await assertRejects(() => pair.connection.receive(), TruncatedMessageError);
  assertEquals([error.received, error.missing], [5, 1]);
  const info = await pair.connection.closed;
  assertEquals([info.clean, info.error], [false, error]);
});

Deno.test("Connection throws ConnectionLostError with the cause for a lost stream, after the messages before it", async () => {
  const transport = new FakeTransport();
  await using connection = new Connection(transport);
  const cause = new Deno.errors.ConnectionReset("Connection reset by peer (os error 104)");
  transport.arrive([...HELLO, ...HI, 0, 0]);
  transport.failRead(cause);
  const info = await connection.closed;
  assertEquals(await receiveText(connection), "HELLO");
  assertEquals(await receiveText(connection), "hi");
  const error = await assertRejects(() => connection.receive(), ConnectionLostError);
  assertEquals(error.message, "Cannot receive from fake:2: connection reset by peer");
  assertEquals(error.cause, cause);
  assertEquals([info.clean, info.error], [false, error]);
  await assertRejects(() => connection.send("late"), ConnectionClosedError);
});

// Sending.

Deno.test("Connection never mixes the frames of concurrent sends", async () => {
  await using server = await echo();
  await using connection = await connect(server.endpoints[0]);
  const tasks = Array.from({ length: 8 }, async (_, task) => {
    for (let n = 0; n < 40; n++) {
      // From 2 bytes to 100 kB, below and above what is copied.
      const message = new Uint8Array(2 + (n * 7919 * (task + 1)) % (n % 8 === 0 ? 100_000 : 500));
      message.fill(task);
      message[1] = n;
      await connection.send(message);
    }
  });
  const next = new Array(8).fill(0);
  for (let n = 0; n < 320; n++) {
    const message = await connection.receive();
    assert(message !== undefined);
    const task = message[0];
    assertEquals(message[1], next[task]++);
    assert(message.subarray(2).every((byte) => byte === task));
  }
  await Promise.all(tasks);
});

Deno.test("Connection sends in one write what is sent in one turn of the event loop, up to 64 KiB", async () => {
  using _time = stopTime();
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  for (const count of [100, 1, 200, 7000, 1000]) {
    await busy(connection, transport);
    for (let n = 1; n < count; n++) connection.send("HELLO");
    await connection.send("HELLO");
    assertEquals(transport.chunks.length, 0);
    await turn();
    assertEquals(transport.chunks.map((chunk) => chunk.length), [count * HELLO.length]);
  }
});

Deno.test("Connection that is quiet sends at once what is sent before anything is awaited", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  await turn(); // In each turn, 32 of all connections may write at once.
  for (let n = 0; n < 100; n++) connection.send("HELLO");
  assertEquals(transport.chunks.length, 0);
  await Promise.resolve();
  assertEquals(transport.chunks.map((chunk) => chunk.length), [100 * HELLO.length]);
});

Deno.test("Connection that is quiet sends a burst in two writes, however it is awaited", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  await turn(); // As above.
  for (let n = 0; n < 1000; n++) await connection.send("HELLO");
  await turn();
  assertEquals(transport.chunks.length, 2);
  assertEquals(transport.written.length, 1000 * HELLO.length);
});

Deno.test("Connection is quiet when the peer has sent a single message since the last write", async () => {
  using _time = stopTime();
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  const answered = Promise.withResolvers<void>();
  (async () => {
    for (let left = 3; left > 0; left--) {
      await connection.receive();
      await connection.send("HELLO");
      await Promise.resolve(); // Else the loop's own waiting would write.
    }
    answered.resolve();
  })();
  for (const written of [1, 2, 3]) {
    await busy(connection, transport);
    await turn(); // As above.
    transport.arrive(HELLO);
    for (let n = 0; n < 20; n++) await Promise.resolve();
    assertEquals(transport.chunks.length, 1, `answer ${written}`);
  }
  await answered.promise;
});

Deno.test("Connection sends in one write the answers to what came together", async () => {
  using _time = stopTime();
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  const echo = (async () => {
    for await (const message of connection) await connection.send(message);
  })();
  await busy(connection, transport);
  transport.arrive([...HELLO, ...HI, ...HELLO, ...EMPTY]);
  await turn();
  assertEquals(transport.chunks.map((chunk) => chunk.length), [2 * HELLO.length + 6 + 4]);
  transport.end();
  await echo;
});

Deno.test("Connection that is quiet sends in one write the answers to what came together", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  const echo = (async () => {
    for await (const message of connection) await connection.send(message);
  })();
  transport.arrive([...HELLO, ...HI, ...HELLO]);
  await turn();
  assertEquals(transport.chunks.map((chunk) => chunk.length), [2 * HELLO.length + HI.length]);
  transport.end();
  await echo;
});

/** The time stands still until the end of the scope. */
function stopTime(): Disposable {
  const { now } = performance;
  const stopped = performance.now();
  performance.now = () => stopped;
  return {
    [Symbol.dispose]() {
      performance.now = now;
    },
  };
}

/** Writes a message, which the transport forgets. While the time stands still, more are no quiet. */
async function busy(connection: Connection, transport: FakeTransport): Promise<void> {
  connection.send("HELLO");
  await connection.flush();
  transport.chunks.length = 0;
}

Deno.test("Connection sends meanwhile, while a write is under way, what leaves right after it", async () => {
  const transport = new FakeTransport({ takes: 4, endsInReply: true });
  const connection = new Connection(transport, { framing: "none" });
  connection.send("one ");
  connection.send("two ");
  await turn();
  for (let n = 0; n < 2000; n++) connection.send("three ");
  await turn();
  assertEquals(asText(transport.written), "one ");
  transport.take(Infinity);
  await connection.close();
  assertEquals(asText(transport.written), "one two " + "three ".repeat(2000));
  assertEquals(transport.chunks.length, 3);
});

Deno.test("Connection sends the header of a large message in one write with its beginning", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport);
  const message = pattern(200_000);
  await connection.send(message);
  assertEquals(transport.chunks.map((chunk) => chunk.length), [65_536, 200_004 - 65_536]);
  assertEquals(transport.written, framing("u32be").encode(message));
});

Deno.test("Connection survives writes that take only a part", async () => {
  const transport = new FakeTransport({ takesAtOnce: 1000, endsInReply: true });
  const connection = new Connection(transport);
  for (const bytes of [3, 70_000, 0, 999, 65_536]) connection.send(pattern(bytes));
  await connection.close();
  const expected = [3, 70_000, 0, 999, 65_536].map((n) => framing("u32be").encode(pattern(n)));
  assertEquals(transport.written, Uint8Array.from(expected.flatMap((frame) => [...frame])));
  assertEquals(connection.stats.messagesSent, 5);
});

Deno.test("Connection has copied a message up to 64 KiB when send() returns", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "none" });
  const message = new Uint8Array(60_000).fill(1);
  connection.send(message);
  message.fill(2);
  connection.send("one");
  connection.send("two");
  await connection.close();
  assert(transport.written.subarray(0, 60_000).every((byte) => byte === 1));
  assertEquals(asText(transport.written.subarray(60_000)), "onetwo");
});

Deno.test("Connection: a forgotten send that fails is no unhandled rejection and surfaces at closed", async () => {
  await using pair = await rawPair({ framing: "u8" });
  pair.connection.send(new Uint8Array(256));
  pair.connection.send("still fine");
  assertEquals(asText(await pair.peer.receive(11)), "\nstill fine");
  pair.peer.close();
  const info = await pair.connection.close();
  assertEquals(info.clean, false);
  assertInstanceOf(info.error, MessageTooLargeError);
  assertEquals(pair.connection.stats.messagesDropped, 1);
  pair.connection.send("after the end");
  assertEquals(pair.connection.stats.messagesDropped, 2);
  await turn();
});

Deno.test("Connection.send() rejects what the framing cannot say and sends nothing of it", async () => {
  await using pair = await rawPair({ framing: "line" });
  await assertRejects(() => pair.connection.send("two\nlines"), InvalidMessageError);
  await pair.connection.send("one line");
  assertEquals(asText(await pair.peer.receive(9)), "one line\n");
});

Deno.test("Connection.send() rejects what is neither bytes nor text and sends nothing of it", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport);
  for (const wrong of [undefined, null, 5, new ArrayBuffer(3), [1, 2], { length: 2 }]) {
    await assertRejects(() => connection.send(wrong as unknown as Uint8Array), TypeError);
  }
  connection.send("hi");
  await connection.close();
  assertEquals([...transport.written], HI);
});

Deno.test("Connection sends while it reads, although a full socket keeps the event loop from turning", async () => {
  class Full extends FakeTransport {
    override read(): Promise<Uint8Array | undefined> {
      if (this.reads < 50) this.arrive([...HELLO, ...HELLO]);
      return super.read();
    }
  }
  const transport = new Full();
  const connection = new Connection(transport);
  // Half of what comes: it never waits for more.
  for (let n = 0; n < 40; n++) {
    await connection.receive();
    connection.send("HELLO");
  }
  assert(transport.reads < 60);
  assertGreater(transport.chunks.length, 1);
  transport.end();
  await connection.close();
});

Deno.test("Connections that answer each other in one process let the event loop turn", async () => {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const answering = (async () => {
    for await (const message of far) await far.send(message);
  })();
  let isOver = false;
  setImmediate(() => isOver = true);
  let trips = 0;
  for (; !isOver && trips < 100_000; trips++) {
    await near.send("?");
    await near.receive();
  }
  assert(isOver, `${trips} round trips, and no turn`);
  await Promise.all([near.close(), answering.then(() => far.close())]);
});
