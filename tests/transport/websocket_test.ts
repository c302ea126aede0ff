import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { once } from "node:events";
// deno-lint-ignore no-import-prefix
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@^8.18.0";
import {
  type CloseInfo,
  connect,
  ConnectError,
  type Connection,
  ConnectionLostError,
  InvalidMessageError,
  json,
  listen,
  type ListenOptions,
  MessageTooLargeError,
  ProtocolError,
  TruncatedMessageError,
} from "../../mod.ts";
import { toHex } from "../../internal/encoding.ts";
import { parseEndpoint, type WebSocketEndpoint } from "../../transport.ts";
import { Hub, inProcess } from "../../hub.ts";
import { isText, markText } from "../../connection.ts";
import { acceptOf } from "../../transport/websocket/key.ts";
import { hex } from "../support/bytes.ts";
import { certificates } from "../support/certificates.ts";
import { RawPeer } from "../support/raw.ts";
import { asText } from "../support/texts.ts";

const { ca, good } = await certificates;
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 300_000];

/** A server that echoes bytes as bytes and text as text, and how its last connection ended. */
async function serve(options: ListenOptions = {}) {
  const ended = Promise.withResolvers<{ info: CloseInfo; error?: unknown }>();
  const server = await listen("ws://127.0.0.1:0", options, async (connection) => {
    const ends = connection.closed;
    try {
      for await (const message of connection) {
        await connection.send(asText(message)?.startsWith("text") ? asText(message)! : message);
      }
      ended.resolve({ info: await Promise.race([connection.close(), ends]) });
    } catch (error) {
      ended.resolve({ info: await ends, error });
    }
  });
  const [url] = server.endpoints;
  return {
    url,
    ended: ended.promise,
    [Symbol.asyncDispose]: () => server.close({ grace: 500 }),
  };
}

/** The built-in client, opened, with its messages in order. */
async function browser(url: string, protocols?: string[]) {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = "arraybuffer";
  const messages = new ReadableStream<string | Uint8Array>({
    start(controller) {
      socket.addEventListener("message", ({ data }) => {
        controller.enqueue(typeof data === "string" ? data : new Uint8Array(data));
      });
    },
  }).getReader();
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const receive = async () => (await messages.read()).value;
  return { socket, receive, closed };
}

Deno.test("ws: a browser's client gets text as text and bytes as bytes, of any size", async () => {
  await using at = await serve();
  const { socket, receive, closed } = await browser(at.url, ["offered"]);
  assertEquals(socket.protocol, "offered");
  for (const size of SIZES) {
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    socket.send(bytes);
    assertEquals(await receive(), bytes);
    const text = `text ${"ü".repeat(size / 2)}`;
    socket.send(text);
    assertEquals(await receive(), text);
  }
  socket.close();
  assertEquals((await closed).code, 1000);
  const { info } = await at.ended;
  assertEquals([info.clean, info.undeliveredBytes], [true, 0]);
});

Deno.test("ws: what came as text goes on as text, and bytes as bytes, also in fragments", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const { socket, receive, closed } = await browser(server.endpoints[0]);
  for (const size of SIZES) {
    const text = "ü".repeat(size / 2);
    socket.send(text);
    assertEquals(await receive(), text);
    const bytes = new Uint8Array(size);
    socket.send(bytes);
    assertEquals(await receive(), bytes);
  }
  socket.close();
  await closed;
  const fragments = new WsClient(server.endpoints[0]);
  await once(fragments, "open");
  fragments.send("h", { fin: false });
  fragments.send("i", { fin: true });
  assertEquals((await once(fragments, "message"))[1], false);
  const over = once(fragments, "close"); // Until then, it has a timer.
  fragments.close();
  await over;
});

Deno.test("ws: text stays text in broadcasts, hubs and backplanes", async () => {
  const backplane = inProcess();
  using near = new Hub({ backplane });
  using far = new Hub({ backplane });
  await using server = await listen(["ws://127.0.0.1:0", "ws://127.0.0.1:0/far"], async (c) => {
    (c.endpoint.endsWith("/far") ? far : near).join("all", c);
    for await (const message of c) near.broadcast("all", message);
  });
  const [a, b] = await Promise.all(server.endpoints.map((url) => browser(url)));
  for (const message of ["text", new Uint8Array([1]), "", new Uint8Array(0)]) {
    a.socket.send(message);
    assertEquals(await a.receive(), message);
    assertEquals(await b.receive(), message);
  }
  near.broadcast("all", "a string");
  server.broadcast(markText(new Uint8Array([104, 105])));
  for (const { receive } of [a, b]) {
    assertEquals(await receive(), "a string");
    assertEquals(await receive(), "hi");
  }
  for (const { socket, closed } of [a, b]) {
    socket.close();
    await closed;
  }
});

Deno.test("ws: isText() tells what came as text; what is no UTF-8 any more is sent as bytes", async () => {
  const seen: boolean[] = [];
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    for await (const batch of connection.batches()) {
      for (const message of batch) {
        seen.push(isText(message), isText(message.slice()));
        if (message.length > 1) message[0] = 0xff;
        connection.send(message);
      }
    }
  });
  const { socket, receive, closed } = await browser(server.endpoints[0]);
  socket.send("text");
  socket.send("t");
  socket.send(new Uint8Array([116]));
  assertEquals(await receive(), new Uint8Array([0xff, 101, 120, 116]));
  assertEquals(await receive(), "t");
  assertEquals(await receive(), new Uint8Array([116]));
  assertEquals(seen, [true, false, true, false, false, false]);
  socket.close();
  await closed;
});

Deno.test("ws: a browser's client closes with a code and a reason, which closed tells", async () => {
  await using at = await serve();
  const { socket, closed } = await browser(at.url);
  socket.close(4001, "grüße");
  assertEquals((await closed).wasClean, true);
  const { info } = await at.ended;
  assertEquals([info.clean, info.code, info.reason], [true, 4001, "grüße"]);
});

Deno.test("ws: Connection.close() tells a browser's client code and reason", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    await connection.send("bye");
    await connection.close({ code: 4321, reason: "enough" });
  });
  const { receive, closed } = await browser(server.endpoints[0]);
  assertEquals(await receive(), "bye");
  const { code, reason, wasClean } = await closed;
  assertEquals([code, reason, wasClean], [4321, "enough", true]);
});

Deno.test("ws: many small messages of a browser's client arrive in order", async () => {
  await using at = await serve();
  const { socket, receive, closed } = await browser(at.url);
  for (let i = 0; i < 2000; i++) socket.send(`text ${i}`);
  for (let i = 0; i < 2000; i++) assertEquals(await receive(), `text ${i}`);
  socket.close();
  await closed;
});

Deno.test("connect() talks to a server of Deno's, which says who closed how", async () => {
  const closes: [number, string][] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    assertEquals(new URL(request.url).pathname, "/chat");
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) =>
      data === "end" ? socket.close(3456, "ended") : socket.send(data);
    socket.onclose = ({ code, reason }) => closes.push([code, reason]);
    return response;
  });
  const url = `ws://localhost:${server.addr.port}/chat?token=1`;
  {
    await using connection = await connect(url);
    for (const size of SIZES) {
      const bytes = new Uint8Array(size).map((_, i) => i * 7);
      await connection.send(bytes);
      assertEquals(await connection.receive(), bytes);
    }
    await connection.send("grüße");
    assertEquals(asText(await connection.receive()), "grüße");
    const { clean } = await connection.close({ code: 4002, reason: "done" });
    assertEquals(clean, true);
  }
  const other = await connect(url);
  await other.send("end");
  assertEquals(await other.receive(), undefined);
  const { clean, code, reason } = await other.close();
  assertEquals(clean, true);
  assertEquals([code, reason], [3456, "ended"]);
  await server.shutdown();
  assertEquals(closes[0], [4002, "done"]);
});

Deno.test("ws: the client of npm's ws pings, fragments, offers compression, and closes", async () => {
  await using at = await serve();
  const socket = new WsClient(at.url, { perMessageDeflate: true });
  await once(socket, "open");
  assertEquals(socket.extensions, "");
  const pong = once(socket, "pong");
  socket.send("text in ", { fin: false });
  socket.ping("are you there?");
  socket.send("three ", { fin: false });
  socket.send("fragments", { fin: true });
  const [[data, isBinary], [body]] = await Promise.all([once(socket, "message"), pong]);
  assertEquals([String(data), isBinary], ["text in three fragments", false]);
  assertEquals(String(body), "are you there?");
  socket.pong("unasked");
  socket.send(new Uint8Array(100_000).fill(9));
  const [large, largeIsBinary] = await once(socket, "message");
  assertEquals([large.length, largeIsBinary], [100_000, true]);
  socket.close(1001, "going");
  await once(socket, "close");
  assertEquals((await at.ended).info.code, 1001);
});

Deno.test("ws: a client that closes without code, or goes without a word, is told apart", async () => {
  await using polite = await serve();
  const first = new WsClient(polite.url);
  await once(first, "open");
  first.close();
  await once(first, "close");
  const { info } = await polite.ended;
  assertEquals([info.clean, info.code, info.error], [true, undefined, undefined]);

  await using rude = await serve();
  const second = new WsClient(rude.url);
  await once(second, "open");
  second.terminate();
  const { error } = await rude.ended;
  assertInstanceOf(error, ConnectionLostError);
});

Deno.test("connect() answers the pings of npm's ws, and takes what it fragments", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const connecting = connect(`ws://127.0.0.1:${server.address().port}`);
  const [socket] = await once(server, "connection");
  await using connection = await connecting;
  const pong = once(socket, "pong");
  socket.send(new Uint8Array([1, 2]), { fin: false });
  socket.ping("hello");
  socket.send(new Uint8Array([3]), { fin: true });
  assertEquals(await connection.receive(), new Uint8Array([1, 2, 3]));
  assertEquals(String((await pong)[0]), "hello");
  const seen: [string, boolean][] = [];
  const both = new Promise<void>((resolve) => {
    socket.on("message", (data: Uint8Array, isBinary: boolean) => {
      if (seen.push([toHex(new Uint8Array(data)), isBinary]) === 2) resolve();
    });
  });
  connection.send("text");
  connection.send(hex("0102"));
  await both;
  assertEquals(seen, [["74657874", false], ["0102", true]]);
  const closing = once(socket, "close");
  await connection.close({ code: 1001, reason: "leaving" });
  const [code, reason] = await closing;
  assertEquals([code, String(reason)], [1001, "leaving"]);
  server.close();
});

// deno-lint-ignore no-explicit-any
type ErrorClass = new (...args: any[]) => Error;

/** What a client does wrong, and what it is told. */
const WRONG: [what: string, frames: string, code: number, type: ErrorClass][] = [
  ["an unmasked frame", "8100", 1002, ProtocolError],
  ["a reserved opcode", "8380 00000000", 1002, ProtocolError],
  ["text that is not UTF-8", "8181 00000000 ff", 1007, InvalidMessageError],
  ["a message above the limit", "82fe 03e9", 1009, MessageTooLargeError],
];

for (const [what, frames, code, type] of WRONG) {
  Deno.test(`ws: ${what} is answered with a Close frame of ${code} and the reason`, async () => {
    await using at = await serve({ maxMessageBytes: 1000 });
    using peer = await rawClient(at.url);
    await peer.send(hex(frames));
    const header = await peer.receive(4);
    const { error } = await at.ended;
    assertInstanceOf(error, type);
    assertEquals([header[0], header[2] << 8 | header[3]], [0x88, code]);
    const reason = asText(await peer.receive(header[1] - 2));
    assertEquals(reason, error.message.slice(0, 123));
    assertEquals(await peer.drain(), 0);
  });
}

Deno.test("ws: a stream that ends inside a frame is a TruncatedMessageError", async () => {
  await using at = await serve();
  using peer = await rawClient(at.url);
  await peer.send(hex("8185 00000000 6161"));
  await peer.closeWrite();
  assertInstanceOf((await at.ended).error, TruncatedMessageError);
});

Deno.test("ws: a message that is not finished within frameTimeout ends the connection, also in fragments", async () => {
  for (
    const frames of ["82", "8185 00000000 61", "0180 00000000", "0181 00000000 61 8980 00000000"]
  ) {
    await using at = await serve({ frameTimeout: 50 });
    using peer = await rawClient(at.url);
    await peer.send(hex(frames));
    const { error } = await at.ended;
    assertInstanceOf(error, ProtocolError);
    assert(error.message.includes("not finished within 50 ms"), error.message);
    await peer.drain();
  }
});

Deno.test("ws: each ping of a flood is answered, and messages still arrive", async () => {
  await using at = await serve();
  using peer = await rawClient(at.url);
  const pings = "8984 00000000 70696e67".repeat(10_000);
  await peer.send(hex(`${pings} 8182 00000000 6869`));
  let pongs = 0;
  for (;;) {
    const [first, length] = await peer.receive(2);
    await peer.receive(length);
    if (first === 0x81) break;
    assertEquals([first, length], [0x8a, 4]);
    pongs++;
  }
  assertEquals(pongs, 10_000);
});

Deno.test("ws: who pings and takes no answers is read from no more, and lost at writeTimeout", async () => {
  await using at = await serve({ writeTimeout: 300 });
  using peer = await rawClient(at.url);
  const pings = hex(`89fd 00000000 ${"61".repeat(125)}`.repeat(8_000));
  let sent = 0;
  const sending = (async () => {
    for (;; sent += pings.length) await peer.send(pings);
  })().catch(() => {}); // It is reset in the end.
  const { error } = await at.ended;
  assertInstanceOf(error, ConnectionLostError);
  assert(error.message.includes("took nothing for 300 ms"), error.message);
  await sending;
  // The sockets of both ends hold some megabytes.
  assert(sent < 40_000_000, `${sent} bytes were read`);
});

Deno.test("ws: what was whole before a bad frame is answered, also in batches and in order, then it is told", async () => {
  await using server = await listen("ws://127.0.0.1:0", { onError() {} }, async (connection) => {
    for await (const batch of connection.batches()) {
      for (const message of batch) await connection.send(`${asText(message)}!`);
    }
  });
  using peer = await rawClient(server.endpoints[0]);
  await peer.send(hex("8181 00000000 61 8181 00000000 62 8980 00000000 c180 00000000 8181"));
  assertEquals(await peer.receive(2), hex("8a00"));
  assertEquals(await peer.receive(8), hex("8102 6121 8102 6221"));
  assertEquals((await peer.receive(4)).subarray(2), hex("03ea"));
  await peer.drain();
});

Deno.test("ws: what was whole before a bad frame and is not asked for ends the wait at frameTimeout", async () => {
  const closed = Promise.withResolvers<CloseInfo>();
  const options = { frameTimeout: 100 };
  await using server = await listen("ws://127.0.0.1:0", options, async (connection) => {
    await connection.receive();
    closed.resolve(await connection.closed);
  });
  using peer = await rawClient(server.endpoints[0]);
  await peer.send(hex("8181 00000000 61 c180 00000000"));
  assertEquals((await peer.receive(4)).subarray(2), hex("03ea"));
  assertInstanceOf((await closed.promise).error, ProtocolError);
  await peer.drain();
});

Deno.test("ws: what a format makes text goes as text, also in a broadcast", async () => {
  await using server = await listen("ws://127.0.0.1:0", { format: json() }, async (connection) => {
    for await (const message of connection) await connection.send({ got: message });
  });
  const { socket, receive, closed } = await browser(server.endpoints[0]);
  socket.send('{"a":1}');
  assertEquals(await receive(), '{"got":{"a":1}}');
  server.broadcast({ all: true });
  assertEquals(await receive(), '{"all":true}');
  socket.close();
  await closed;
});

Deno.test("wss: is the same over TLS, to Lengthwise, npm's ws and curl", async () => {
  await using server = await listen(
    "wss://127.0.0.1:0/chat",
    { tls: good },
    async (peer) => {
      for await (const message of peer) await peer.send(message);
    },
  );
  const [url] = server.endpoints;
  {
    await using client = await connect(url, { tls: { ca: ca.cert } });
    for (const size of SIZES) {
      await client.send(new Uint8Array(size).fill(size));
      assertEquals(await client.receive(), new Uint8Array(size).fill(size));
    }
    assertEquals(client.peer?.name, "localhost");
  }
  const socket = new WsClient(url, { ca: ca.cert });
  await once(socket, "open");
  socket.send("over TLS");
  assertEquals(String((await once(socket, "message"))[0]), "over TLS");
  socket.close();
  await once(socket, "close");
  const health = url.replace("wss", "https").replace("/chat", "/health");
  const curl = new Deno.Command("curl", { args: ["-sk", "--max-time", "60", health] });
  assertEquals(asText((await curl.output()).stdout), "ok\n");
  await assertRejects(
    () => connect(url.replace("wss", "ws")),
    ConnectError,
    "Cannot connect to ws://127.0.0.1",
  );
});

Deno.test("ws: half-closes between two Lengthwise ends: the answer comes after the end", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    await connection.send(`${(await connection.receiveAll()).length} messages`);
  });
  await using client = await connect(server.endpoints[0]);
  for (let i = 0; i < 3; i++) await client.send("x");
  await client.closeWrite();
  assertEquals(asText(await client.receive()), "3 messages");
  assertEquals(await client.receive(), undefined);
});

Deno.test("ws: listens and connects on IPv6, and formats what it listens on", async () => {
  await using server = await listen("ws://[::1]:0/a?b=c", (connection: Connection) => {
    connection.send("six");
  });
  assert(/^ws:\/\/\[::1\]:\d+\/a\?b=c$/.test(server.endpoints[0]), server.endpoints[0]);
  await using client = await connect(server.endpoints[0]);
  assertEquals(asText(await client.receive()), "six");
  await assertRejects(
    () => connect(server.endpoints[0].replace("b=c", "b=d")),
    ConnectError,
    "the server answered 404 Not Found: There is no WebSocket at /a; connect to",
  );
});

/** A client that has shaken hands and speaks bytes from then on. */
async function rawClient(url: string): Promise<RawPeer> {
  const { hostname, port } = parseEndpoint(url) as WebSocketEndpoint;
  const peer = await RawPeer.connect(`tcp://${hostname}:${port}`);
  await peer.send(
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  for (let head = ""; !head.endsWith("\r\n\r\n");) {
    head += String.fromCharCode(...await peer.receive(1));
  }
  return peer;
}

/** Bounds with which a silent peer is given up within half a second. */
const IMPATIENT = { pingInterval: 240, pongTimeout: 240 };

Deno.test("ws: a silent peer is asked, and lost when it does not answer", async () => {
  await using at = await serve(IMPATIENT);
  using peer = await rawClient(at.url);
  const startedAt = performance.now();
  assertEquals(await peer.receive(2), hex("8900"));
  const { info } = await at.ended;
  assert(performance.now() - startedAt < 60_000);
  assertInstanceOf(info.error, ConnectionLostError);
  assert(info.error.message.includes("did not answer a ping within 240 ms"), info.error.message);
});

Deno.test("ws: whoever answers pings stays, without a word; and so does who says anything", async () => {
  await using at = await serve(IMPATIENT);
  const { socket, receive, closed } = await browser(at.url);
  using talker = await rawClient(at.url);
  for (let n = 0; n < 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await talker.send(hex("8a80 00000000")); // A pong that nobody asked for (section 5.5.3).
  }
  await talker.send(hex("8882 00000000 03e8"));
  socket.send("text");
  assertEquals(await receive(), "text");
  socket.close();
  await closed;
});

Deno.test("ws: a client asks a silent server too", async () => {
  await using server = await listen("ws://127.0.0.1:0", IMPATIENT, async (connection) => {
    for await (const _ of connection);
  });
  await using quiet = await connect(server.endpoints[0], IMPATIENT);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assertEquals(quiet.state, "open"); // Both ends answer each other.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = (async () => {
    using conn = await listener.accept();
    const head = new Uint8Array(2048);
    const length = await conn.read(head);
    const key = /Key: (\S+)/.exec(new TextDecoder().decode(head.subarray(0, length!)))![1];
    const proof = await acceptOf(key);
    await conn.write(new TextEncoder().encode(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${proof}\r\n\r\n`,
    ));
    while (await conn.read(head) !== null);
  })();
  const connection = await connect(`ws://127.0.0.1:${listener.addr.port}`, IMPATIENT);
  await assertRejects(() => connection.receive(), ConnectionLostError, "did not answer a ping");
  await silent;
  listener.close();
});

Deno.test("ws: a peer is not blamed while this end holds back", async () => {
  const options = { ...IMPATIENT, maxUnreadBytes: 1 };
  await using server = await listen("ws://127.0.0.1:0", options);
  const { socket } = await browser(server.endpoints[0]);
  const connection = await first(server);
  for (const text of ["1", "2", "3"]) socket.send(text);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assertEquals(connection.state, "open");
  for (const text of ["1", "2", "3"]) assertEquals(asText((await connection.receive())!), text);
  socket.close();
  await connection.close();
});

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error("there is none");
}
