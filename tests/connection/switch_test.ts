/** `Connection.switchFraming()`: exact to the byte, wherever the stream was cut. */

import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { connect } from "../../client.ts";
import {
  cobs,
  duplex,
  type Framing,
  framing,
  lengthPrefix,
  line,
  none,
  slip,
  varint,
} from "../../codec.ts";
import { Connection, Shared } from "../../connection.ts";
import {
  FrameTimeoutError,
  MessageTooLargeError,
  ProtocolError,
  TruncatedMessageError,
} from "../../errors.ts";
import { text } from "../../format.ts";
import { listen } from "../../server.ts";
import { memoryPair } from "../../testing.ts";
import { FakeTransport, turn } from "../support/fake_transport.ts";
import { ascii, pattern, rawPair } from "../support/raw.ts";
import { asText, receiveText } from "../support/texts.ts";

const typed = lengthPrefix({ offset: 1, adjustment: -4, strip: 0 });
const counted = lengthPrefix({ includesHeader: true });
/** Lengths are 2 bytes, and the two bytes before them are dropped. */
const stripped = lengthPrefix({ bytes: 2, offset: 2, strip: 4, maxMessageBytes: 1000 });

/** What several programs do: the messages before the change, and what comes behind them. */
const CONVERSATIONS: Record<string, {
  first: Framing;
  messages: Uint8Array[];
  then: Framing;
  rest: Uint8Array[];
}> = {
  "D-Bus: lines of SASL, then messages": {
    first: line({ newline: "\r\n", telnet: false }),
    messages: ["AUTH EXTERNAL 31303030", "NEGOTIATE_UNIX_FD", "BEGIN"].map(ascii).map(bytes),
    // `l` is the byte order; the line feed and the 0xff are of the message.
    then: lengthPrefix({ endian: "little", offset: 4, adjustment: 8, strip: 0 }),
    rest: [bytes([0x6c, 1, 0, 1, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 10, 13, 10])],
  },
  "AMQP: 8 bytes, then frames": {
    first: lengthPrefix({ bytes: 1, offset: 7, adjustment: -1, strip: 0 }),
    messages: [bytes([...ascii("AMQP"), 0, 0, 9, 1])],
    then: lengthPrefix({ offset: 3, adjustment: 1, strip: 0 }),
    rest: [bytes([1, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xce]), bytes([8, 0, 0, 0, 0, 0, 0, 0xce])],
  },
  "PostgreSQL: a first message without a type": {
    first: counted,
    messages: [bytes([0, 3, 0, 0, 0x75, 0, 0])],
    then: typed,
    rest: [bytes([0x51, 0, 0, 0, 5, 0]), bytes([0x58, 0, 0, 0, 4])],
  },
  "lines of telnet, then a byte 0xff": {
    first: line(),
    messages: ["a", "", "b\xff"].map(latin1),
    then: framing("u8"),
    rest: [pattern(255, 1), bytes([]), bytes([0xff, 0xfb, 1])],
  },
  "frames, then lines": {
    first: framing("u16be"),
    messages: [bytes([]), ascii("starttls"), bytes([])].map(bytes),
    then: line({ telnet: false }),
    rest: ["EHLO x", "", "QUIT"].map(latin1),
  },
  "varints, then bytes without a framing": {
    first: varint(),
    messages: [pattern(200, 2)],
    then: none(),
    rest: [bytes([0xff, 0xff, 0xff, 0xff])],
  },
  "slip, which takes its escapes out in place, then frames": {
    first: slip(),
    messages: [bytes([0xc0, 1, 0xdb]), bytes([0xdb, 0xdb])],
    then: framing("u8"),
    rest: [bytes([0xc0]), bytes([1, 2])],
  },
  "frames, then cobs": {
    first: framing("u8"),
    messages: [bytes([0, 1])],
    then: cobs(),
    rest: [bytes([0, 1, 0]), pattern(300, 3)],
  },
  "stripped headers, then counted ones": {
    first: stripped,
    messages: [bytes([1, 2, 3]), bytes([])],
    then: counted,
    rest: [pattern(70, 5), bytes([])],
  },
};

function bytes(values: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(values);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function streamOf({ first, messages, then, rest }: typeof CONVERSATIONS[string]): Uint8Array {
  return concat([...messages.map((m) => first.encode(m)), ...rest.map((m) => then.encode(m))]);
}

/** Receives all, and switches behind the last message of the first framing. */
async function receiveBoth(
  connection: Connection,
  { messages, then, rest }: typeof CONVERSATIONS[string],
): Promise<void> {
  for (const message of messages) assertEquals(await connection.receive(), message);
  connection.switchFraming(then);
  let all = new Uint8Array(0);
  for (const message of rest) {
    if (then.keepsBoundaries) assertEquals(await connection.receive(), message);
    else all = concat([all, message]);
  }
  for (let got = 0; got < all.length;) {
    const chunk = (await connection.receive())!;
    assertEquals(chunk, all.slice(got, got += chunk.length));
  }
  assertEquals(await connection.receive(), undefined);
}

for (const [name, conversation] of Object.entries(CONVERSATIONS)) {
  Deno.test(`Connection.switchFraming() is exact at every cut: ${name}`, async () => {
    const stream = streamOf(conversation);
    for (let cut = 0; cut <= stream.length; cut++) {
      const transport = new FakeTransport({ endsInReply: true });
      await using connection = new Connection(transport, { framing: conversation.first });
      transport.arrive(stream.subarray(0, cut));
      transport.arrive(stream.subarray(cut));
      transport.end();
      await receiveBoth(connection, conversation);
    }
  });

  Deno.test(`Connection.switchFraming() is exact at every cut, before the rest: ${name}`, async () => {
    const { first, messages, then, rest } = conversation;
    const stream = streamOf(conversation);
    const before = concat(messages.map((m) => first.encode(m))).length;
    for (let cut = before; cut <= stream.length; cut++) {
      const transport = new FakeTransport();
      const connection = new Connection(transport, { framing: first });
      transport.arrive(stream.subarray(0, cut));
      for (const message of messages) assertEquals(await connection.receive(), message);
      await turn();
      connection.switchFraming(then);
      const reading = receiveBoth(connection, { first, messages: [], then, rest });
      transport.arrive(stream.subarray(cut));
      transport.end();
      await reading;
      connection.abort();
    }
  });

  Deno.test(`Connection.switchFraming() is exact byte by byte: ${name}`, async () => {
    const transport = new FakeTransport({ endsInReply: true });
    await using connection = new Connection(transport, { framing: conversation.first });
    for (const byte of streamOf(conversation)) transport.arrive([byte]);
    transport.end();
    await turn();
    await receiveBoth(connection, conversation);
  });

  Deno.test(`Connection.switchFraming() back and forth loses no byte: ${name}`, async () => {
    const transport = new FakeTransport({ endsInReply: true });
    await using connection = new Connection(transport, { framing: conversation.first });
    const stream = streamOf(conversation);
    transport.arrive(stream.subarray(0, stream.length - 3));
    transport.arrive(stream.subarray(stream.length - 3));
    transport.end();
    await turn();
    for (const other of ["u64be", "none", "line", "varint", "u8"] as const) {
      connection.switchFraming(other);
      await turn();
    }
    connection.switchFraming(conversation.first);
    await receiveBoth(connection, conversation);
  });
}

Deno.test("Connection.switchFraming() works over a socket, in for await, however large the rest is", async () => {
  const large = pattern(3_000_000, 7);
  await using server = await listen("127.0.0.1:0", {
    framing: "line",
    maxMessageBytes: 4_000_000,
  }, async (connection) => {
    for await (const message of connection) {
      if (asText(message) === "CONNECT") connection.switchFraming("u32be");
      connection.send(message);
    }
  });
  await using client = await connect(server.endpoints[0], { framing: "line" });
  client.send("hello");
  client.send("CONNECT");
  client.switchFraming("u32be", { direction: "out" });
  for (const message of [new Uint8Array([10]), large, new Uint8Array(0)]) client.send(message);
  assertEquals(await receiveText(client), "hello");
  client.switchFraming("u32be", { direction: "in" });
  assertEquals(await receiveText(client), "CONNECT");
  assertEquals(await client.receive(), new Uint8Array([10]));
  assertEquals(await client.receive(), large);
  assertEquals(await client.receive(), new Uint8Array(0));
});

Deno.test("Connection.switchFraming() takes a large message that is half there to pieces", async () => {
  await using pair = await rawPair({ framing: "u32be" });
  const large = pattern(1_000_000, 3);
  await pair.peer.send([0, 0, 0, 1, 7]);
  await pair.peer.send(framing("u32be").encode(large).subarray(0, 700_000));
  assertEquals(await pair.connection.receive(), new Uint8Array([7]));
  while (pair.connection.stats.bytesReceived < 700_005) await turn();
  pair.connection.switchFraming("none");
  const got: Uint8Array[] = [];
  const length = () => got.reduce((sum, { length }) => sum + length, 0);
  while (length() < 700_000) got.push((await pair.connection.receive())!);
  await pair.peer.send(large.subarray(700_000 - 4));
  while (length() < 1_000_004) got.push((await pair.connection.receive())!);
  assertEquals(concat(got), framing("u32be").encode(large));
});

Deno.test("Connection.switchFraming() takes back messages that wait, of many chunks, and counts them once", async () => {
  await using pair = await rawPair({ framing: "u8", maxUnreadBytes: 4096 });
  const stream = concat(
    Array.from({ length: 3000 }, (_, n) => framing("u8").encode(pattern(9, n))),
  );
  pair.peer.send(stream);
  await pair.peer.closeWrite();
  await pair.connection.receive();
  while (pair.connection.stats.unreadBytes < 4000 / 74 * 9) await turn();
  pair.connection.switchFraming("none");
  const got = concat(await pair.connection.receiveAll());
  assertEquals(got, stream.subarray(10));
  assertEquals(pair.connection.stats.bytesReceived, stream.length);
});

Deno.test("Connection.switchFraming() serves a receive() that waits", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u32be" });
  transport.arrive([0, 0, 1]);
  const waiting = connection.receive();
  await turn();
  connection.switchFraming("u8");
  assertEquals(await waiting, new Uint8Array(0));
  assertEquals(await connection.receive(), new Uint8Array(0));
  transport.arrive([9]);
  assertEquals(await connection.receive(), new Uint8Array([9]));
});

Deno.test("Connection.switchFraming() counts a batch as taken", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u8" });
  transport.arrive([1, 7, 1, 8, 0, 2]); // Two messages of the batch, an empty one, and a part.
  transport.arrive([1, 5, 0, 1, 4]);
  await turn();
  for await (const batch of connection.batches()) {
    assertEquals(batch, [bytes([7]), bytes([8]), bytes([])]);
    break;
  }
  connection.switchFraming("u16le"); // 02 01 is 258.
  transport.arrive(pattern(255, 1));
  assertEquals(await connection.receive(), concat([bytes([5, 0, 1, 4]), pattern(254, 1)]));
});

Deno.test("Connection.switchFraming() sends in the old framing before, and in the new one after", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "line" });
  connection.send("a");
  connection.send(new Shared("b"));
  connection.switchFraming("u8");
  connection.send("c");
  connection.send(new Shared("d"));
  connection.switchFraming("u16le", { direction: "out" });
  connection.sendRaw("e");
  connection.switchFraming("varint", { direction: "in" });
  connection.send("f");
  await connection.flush();
  assertEquals(
    [...transport.written],
    [...ascii("a\nb\n"), 1, 99, 1, 100, 1, 0, 101, 1, 0, 102],
  );
  assertEquals(connection.framing.name, "duplex(in:varint,out:u16le)");
});

Deno.test("Connection.switchFraming() keeps one frame for many connections apart by framing", async () => {
  const transports = [new FakeTransport(), new FakeTransport()];
  const connections = transports.map((t) => new Connection(t, { framing: "line" }));
  const news = new Shared("news");
  for (const connection of connections) connection.send(news);
  connections[1].switchFraming("u8");
  for (const connection of connections) connection.send(news);
  for (const connection of connections) await connection.flush();
  assertEquals(asText(transports[0].written), "news\nnews\n");
  assertEquals(asText(transports[1].written), "news\n\x04news");
  for (const connection of connections) connection.abort();
});

Deno.test("Connection.switchFraming() makes text of what follows, also with a format", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u8", format: text() });
  transport.arrive([3, ...ascii("abc"), ...new TextEncoder().encode("dé\nf")]);
  transport.end();
  const got: string[] = [];
  for await (const message of connection) {
    got.push(message);
    if (got.length === 1) connection.switchFraming("line");
  }
  assertEquals(got, ["abc", "dé", "f"]);
});

// Limits and errors.

Deno.test("Connection.switchFraming() keeps maxMessageBytes, and takes a lower limit of the framing", async () => {
  for (const [next, limit] of [["u32be", 10], [varint({ maxMessageBytes: 5 }), 5]] as const) {
    const transport = new FakeTransport({ endsInReply: true });
    const connection = new Connection(transport, { framing: "line", maxMessageBytes: 10 });
    connection.switchFraming(next);
    assertEquals(connection.framing.maxMessageBytes, limit);
    transport.arrive(next === "u32be" ? [0, 0, 0, 11] : [6]);
    const error = await assertRejects(() => connection.receive(), MessageTooLargeError);
    assertEquals((await connection.closed).error, error);
  }
});

Deno.test("Connection tells what is wrong behind the last message when a reader asks, and not before", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u8", maxMessageBytes: 10 });
  transport.arrive([1, 7, 11]);
  assertEquals(await connection.receive(), new Uint8Array([7]));
  await turn();
  assertEquals(connection.state, "open");
  const error = await assertRejects(() => connection.receive(), MessageTooLargeError);
  assertEquals((await connection.closed).error, error);
});

Deno.test("Connection tells at once what is wrong to a reader that waits", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "u8", maxMessageBytes: 10 });
  const waiting = assertRejects(() => connection.receive(), MessageTooLargeError);
  transport.arrive([11]);
  assertEquals((await connection.closed).error, await waiting);
});

Deno.test("Connection tells what is wrong by itself after frameTimeout", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, {
    framing: "u8",
    maxMessageBytes: 10,
    frameTimeout: 30,
  });
  transport.arrive([1, 7, 11]);
  const { error } = await connection.closed;
  assertInstanceOf(error, MessageTooLargeError);
  assertEquals(await connection.receive(), new Uint8Array([7]));
  await assertRejects(() => connection.receive(), MessageTooLargeError);
});

Deno.test("Connection.close() tells what was wrong and not yet told", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "u8", maxMessageBytes: 10 });
  transport.arrive([1, 7, 11]);
  assertEquals(await connection.receive(), new Uint8Array([7]));
  assertInstanceOf((await connection.close()).error, MessageTooLargeError);
});

Deno.test("Connection.switchFraming() tells errors of the new framing", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "u8" });
  transport.arrive([1, 7, 0xff, 0xff]);
  transport.end();
  assertEquals(await connection.receive(), new Uint8Array([7]));
  connection.switchFraming("u16be");
  const error = await assertRejects(() => connection.receive(), TruncatedMessageError);
  assertInstanceOf(error, ProtocolError);
});

Deno.test("Connection.switchFraming() begins the time for a frame anew", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "u8", frameTimeout: 40 });
  transport.arrive([1, 7, 3, 1]);
  assertEquals(await connection.receive(), new Uint8Array([7]));
  connection.switchFraming("u16be");
  await assertRejects(() => connection.receive(), FrameTimeoutError);
});

Deno.test("Connection.switchFraming() reaches messages that wait on a connection that is lost", async () => {
  const transport = new FakeTransport();
  const connection = new Connection(transport, { framing: "u8" });
  transport.arrive([1, 7, 0, 1, 9]);
  transport.failRead(new Deno.errors.ConnectionReset());
  await connection.closed;
  assertEquals(await connection.receive(), new Uint8Array([7]));
  connection.switchFraming("u16be");
  assertEquals(await connection.receive(), new Uint8Array([9]));
  await assertRejects(() => connection.receive());
});

Deno.test("Connection.switchFraming() refuses what cannot be switched", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    await connection.receive();
  });
  await using web = await connect(server.endpoints[0]);
  assertThrows(() => web.switchFraming("u8"), TypeError, "framing of its own");
  const [a, b] = memoryPair().map((transport) => new Connection(transport));
  assertThrows(() => a.switchFraming("u9" as "u8"), TypeError, 'framing "u9"');
  assertThrows(
    () => a.switchFraming("u8", { direction: "up" as "in" }),
    TypeError,
    'direction "up"',
  );
  assertThrows(() => a.switchFraming(web.framing), TypeError, "frames that are not messages");
  await Promise.all([a.close(), b.close()]);
});

Deno.test("Connection takes a framing that differs by direction", async () => {
  const [a, b] = memoryPair();
  const near = new Connection(a, {
    framing: duplex({ in: framing("u16le"), out: line() }),
  });
  const far = new Connection(b, { framing: duplex({ in: line(), out: framing("u16le") }) });
  near.send("hello");
  far.send("a\nb");
  assertEquals(await receiveText(far), "hello");
  assertEquals(await receiveText(near), "a\nb");
  await Promise.all([near.close(), far.close()]);
});

Deno.test("Connection whose peer sends telnet's commands for ever keeps little of them", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  await using connection = new Connection(transport, { framing: "line", maxMessageBytes: 100 });
  const noise = new Uint8Array(2000).map((_, i) => i % 2 === 0 ? 0xff : 0xf1);
  for (let n = 0; n < 100; n++) transport.arrive(noise);
  await turn();
  assertThrows(() => connection.switchFraming("u8"), TypeError, "more was received");
  transport.arrive(ascii("hi\n\x02ab"));
  assertEquals(await receiveText(connection), "hi");
  connection.switchFraming("u8");
  assertEquals(await receiveText(connection), "ab");
});

Deno.test("Session.switchFraming() is refused: a session keeps its framing", async () => {
  await using server = await listen("127.0.0.1:0", { session: true }, async (session) => {
    await session.receive();
  });
  await using session = await connect(server.endpoints[0], { session: true });
  assertThrows(
    () => (session as Connection).switchFraming("u8"),
    TypeError,
    "a session keeps its framing",
  );
});
