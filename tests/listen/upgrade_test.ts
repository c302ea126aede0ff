/** Connections that come in by no endpoint: under another HTTP server, and by transports of one's own. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type Connection, listen, RefusedError, text } from "../../mod.ts";
import type { ListenOptions, Refusal, Server } from "../../server.ts";
import { isText } from "../../connection.ts";
import { Session } from "../../session.ts";
import { clientOf } from "../../listen/forwarded.ts";
import { memoryPair } from "../../testing.ts";
import { RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

interface World extends AsyncDisposable {
  readonly server: Server;
  readonly url: string;
  readonly refused: Refusal[];
}

const echo = async (connection: Connection) => {
  for await (const message of connection) await connection.send(message);
};

/** An app of `Deno.serve` with our server under /live. */
async function app(
  options: ListenOptions = {},
  { handler = echo, hasInfo = true }: {
    handler?: (connection: Connection) => Promise<void>;
    hasInfo?: boolean;
  } = {},
): Promise<World> {
  const refused: Refusal[] = [];
  const onRefuse = (refusal: Refusal) => refused.push(refusal);
  const server = await listen([], { onRefuse, ...options }, handler);
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request, info) => server.upgrade(request, hasInfo ? info : undefined),
  );
  return {
    server,
    url: `ws://127.0.0.1:${http.addr.port}/live`,
    refused,
    async [Symbol.asyncDispose]() {
      await server.close();
      await http.shutdown();
    },
  };
}

/** The status of the answer to a request, and its text. */
async function ask(url: string, headers: Record<string, string> = {}) {
  using peer = await RawPeer.connect(url);
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await peer.send(`GET /live?room=1 HTTP/1.1\r\n${fields}\r\n`);
  let answer = "";
  while (!answer.endsWith("\r\n\r\n")) {
    const byte = await peer.receive(1);
    if (byte.length === 0) break;
    answer += String.fromCharCode(...byte);
  }
  const length = Number(/^content-length: (\d+)/im.exec(answer)?.[1] ?? 0);
  const body = new TextDecoder().decode(await peer.receive(length)).trim();
  return { status: Number(answer.slice(9, 12)), body };
}

Deno.test("Server.upgrade() makes a connection of a request, with its address and text kept apart", async () => {
  const seen: (boolean | string)[] = [];
  await using here = await app({}, {
    async handler(connection) {
      for await (const message of connection) {
        seen.push(isText(message));
        await connection.send(message);
      }
    },
  });
  await using client = await connect(here.url);
  await client.send("text");
  await client.send(Uint8Array.of(1, 2));
  assertEquals(await receiveText(client), "text");
  assertEquals(await client.receive(), Uint8Array.of(1, 2));
  assertEquals(seen, [true, false]);
  const [connection] = here.server.connections;
  assertMatch(connection.remote, /^127\.0\.0\.1:\d+$/);
  assertEquals(connection.endpoint, here.url);
  assertEquals(here.server.endpoints, []);
});

Deno.test("Server.upgrade() carries large messages, and many small ones, in order", async () => {
  await using here = await app({ maxMessageBytes: 8 * 1024 * 1024 });
  await using client = await connect(here.url, { format: text() });
  const large = "0123456789abcdef".repeat(256 * 1024);
  client.send(large);
  for (let i = 0; i < 2_000; i++) client.send(`${i}`);
  assertEquals(await client.receive() === large, true);
  for (let i = 0; i < 2_000; i++) assertEquals(await client.receive(), `${i}`);
});

Deno.test("Server.upgrade() tells codes and reasons of closing both ways", async () => {
  const closed = Promise.withResolvers<unknown>();
  await using here = await app({}, {
    async handler(connection) {
      const message = await connection.receive();
      if (message === undefined) closed.resolve(await connection.close());
      else await connection.close({ code: 4001, reason: "enough" });
    },
  });
  const first = await connect(here.url);
  await first.send("x");
  assertEquals(await first.receive(), undefined);
  const { code, reason } = await first.close();
  assertEquals([code, reason], [4001, "enough"]);
  const second = await connect(here.url);
  assertEquals((await second.close({ code: 4002, reason: "bye" })).clean, true);
  const { clean, ...info } = await closed.promise as {
    clean: boolean;
    code: number;
    reason: string;
  };
  assertEquals([clean, info.code, info.reason], [true, 4002, "bye"]);
});

Deno.test("Server.upgrade() refuses a message above the limit with 1009", async () => {
  await using here = await app({ maxMessageBytes: 100 });
  await using client = await connect(here.url);
  client.send(new Uint8Array(101));
  assertEquals(await client.receive(), undefined);
  const { code, reason } = await client.close();
  assertEquals([code, reason], [1009, "Cannot receive message of 101 bytes: limit is 100 bytes"]);
});

Deno.test("Server.upgrade() keeps sessions over several requests", async () => {
  const closers: (() => void)[] = [];
  await using here = await app({
    session: true,
    through: (transport) => (closers.push(() => transport.close()), transport),
  });
  await using client = await connect(here.url, { session: { retry: () => 1 } });
  await client.send("one");
  assertEquals(await receiveText(client), "one");
  closers.pop()!();
  await client.send("two");
  assertEquals(await receiveText(client), "two");
  const [session] = here.server.connections;
  assert(session instanceof Session);
  assertEquals([session.stats.resumes, here.server.stats.accepted], [1, 1]);
});

Deno.test("Server.upgrade() asks for the token, and authorize before the upgrade", async () => {
  await using tokens = await app({ token: "s3cret" });
  await using client = await connect(tokens.url, { token: "s3cret" });
  await client.send("hello");
  assertEquals(await receiveText(client), "hello");

  await using users = await app({
    authorize: ({ cookies, url }) =>
      cookies.get("sid") === "7" && url?.searchParams.get("room") === "1"
        ? { id: "ada" }
        : new RefusedError("log in first", { status: 401 }),
  }, { handler: (connection) => connection.send(JSON.stringify(connection.user)) });
  assertEquals(await ask(users.url), { status: 401, body: "log in first" });
  const web = { headers: { Cookie: "sid=7" } };
  await using ada = await connect(`${users.url}?room=1`, { web });
  assertEquals(await receiveText(ada), '{"id":"ada"}');
  assertEquals(users.refused.map(({ reason }) => reason), ["authorize"]);
});

Deno.test("Server.upgrade() negotiates subprotocols, and checks origins", async () => {
  await using here = await app({
    web: { subprotocols: ["v2"], origins: ["https://good.example"] },
  }, { handler: (connection) => connection.send(`${connection.subprotocol}`) });
  const web = { subprotocols: ["v1", "v2"] };
  await using client = await connect(here.url, { web });
  assertEquals([client.subprotocol, await receiveText(client)], ["v2", "v2"]);
  assertEquals((await ask(here.url, { Origin: "https://good.example" })).status, 101);
  const { status, body } = await ask(here.url, { Origin: "https://evil.example" });
  assertEquals(status, 403);
  assertMatch(body, /origin https:\/\/evil\.example is not that of this server/);
  assertEquals((await ask(here.url, { "Sec-WebSocket-Version": "8" })).status, 426);
  assertEquals((await ask(here.url, { "Sec-WebSocket-Key": "short" })).status, 400);
  assertEquals((await ask(here.url, { Upgrade: "h2c" })).status, 426);
});

Deno.test("Server.upgrade() counts by the client's address behind a named proxy, and believes no other", async () => {
  for (
    const [proxies, expected] of [[["127.0.0.1"], "192.0.2.7:0"], [
      ["10.0.0.1"],
      /^127\.0\.0\.1:\d+$/,
    ], [
      undefined,
      /^127\.0\.0\.1:\d+$/,
    ]] as const
  ) {
    await using here = await app({ proxies }, {
      handler: (connection) => connection.send(connection.remote),
    });
    const headers = { "X-Forwarded-For": "203.0.113.9, 192.0.2.7", Forwarded: "for=203.0.113.66" };
    await using client = await connect(here.url, { web: { headers } });
    const remote = await receiveText(client);
    if (typeof expected === "string") assertEquals(remote, expected);
    else assertMatch(remote!, expected);
  }
});

Deno.test("Server.upgrade() answers who is turned away with 403, 429 or 503", async () => {
  await using here = await app({
    proxies: ["127.0.0.1"],
    deny: ["192.0.2.66"],
    maxConnectionsPerAddress: 1,
    maxConnections: 2,
  });
  const from = (host: number) => ({ "X-Forwarded-For": `192.0.2.${host}` });
  assertEquals((await ask(here.url, from(66))).status, 403);
  await using one = await connect(here.url, { web: { headers: from(1) } });
  assertEquals((await ask(here.url, from(1))).status, 429);
  await using two = await connect(here.url, { web: { headers: from(2) } });
  assertEquals((await ask(here.url, from(3))).status, 503);
  assertEquals(here.refused.map(({ hostname, reason }) => [hostname, reason]), [
    ["192.0.2.66", "denied"],
    ["192.0.2.1", "maxConnectionsPerAddress"],
    ["192.0.2.3", "maxConnections"],
  ]);
  await Promise.all([one.close(), two.close()]);
});

Deno.test("Server.upgrade() counts those without an address as one", async () => {
  await using here = await app({ maxConnectionsPerAddress: 1 }, { hasInfo: false });
  await using _one = await connect(here.url);
  const { status } = await ask(here.url);
  assertEquals([status, here.refused.map(({ hostname }) => hostname)], [429, ["unknown"]]);
});

Deno.test("Server.upgrade() answers 503 once the server closes, which ends its connections in order", async () => {
  await using here = await app();
  const client = await connect(here.url);
  await client.send("hello");
  assertEquals(await receiveText(client), "hello");
  const closing = here.server.close();
  assertEquals(await client.receive(), undefined);
  const { reason } = await client.close();
  assertEquals(reason, "the server is closing");
  await closing;
  assertEquals((await ask(here.url)).status, 503);
  await assertRejects(() => connect(here.url));
});

Deno.test("Server.upgrade() loses a peer of which 16 MiB were not read, and nobody else", async () => {
  const { promise: stopped, resolve: go } = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<unknown>();
  await using here = await app({ maxUnreadBytes: 1024 }, {
    async handler(connection) {
      if (new TextDecoder().decode(await connection.receive()) !== "flood") {
        return await echo(connection);
      }
      await stopped;
      try {
        for await (const _ of connection);
      } catch (error) {
        lost.resolve((error as Error).cause);
      }
    },
  });
  await using other = await connect(here.url);
  await other.send("first");
  await using client = await connect(here.url);
  client.send("flood");
  const piece = new Uint8Array(512 * 1024);
  for (let i = 0; i < 80; i++) await client.send(piece).catch(() => {});
  go();
  assertMatch(String(await lost.promise), /more than 16777216 bytes came and were not read/);
  await other.send("still here");
  assertEquals(await receiveText(other), "still here");
});

Deno.test("Server.accept() takes transports of the program's own, with limits and questions", async () => {
  const refused: Refusal[] = [];
  await using server = await listen([], {
    maxConnections: 1,
    token: "s3cret",
    onRefuse: (refusal) => refused.push(refusal),
  }, echo);
  const [near, far] = memoryPair();
  const client = await connectOver(near);
  server.accept(far, { endpoint: "memory:mine" });
  client.sendRaw("s3cret");
  await client.send("hello");
  assertEquals(await receiveText(client), "hello");
  assertEquals([...server.connections].map(({ endpoint }) => endpoint), ["memory:mine"]);
  const [second, extra] = memoryPair();
  server.accept(extra);
  assertEquals(await second.read().catch(() => undefined), undefined);
  assertEquals(refused.map(({ reason }) => reason), ["maxConnections"]);
  await client.close();
});

async function connectOver(transport: ReturnType<typeof memoryPair>[0]): Promise<Connection> {
  const { Connection } = await import("../../connection.ts");
  return new Connection(transport);
}

Deno.test("clientOf() reads the list from its end, as long as a named proxy says it", () => {
  const named = ["10.0.0.1", "10.0.0.2", "127.0.0.1"];
  const client = (
    from: string,
    list: string,
    field: "x-forwarded-for" | "forwarded" = "x-forwarded-for",
  ) =>
    clientOf(from, new Headers({ [field]: list }), field, (hostname) => named.includes(hostname));
  const cases: [from: string, list: string, expected: string][] = [
    ["10.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"],
    ["10.0.0.1", "203.0.113.9,192.0.2.7 , 10.0.0.2", "192.0.2.7"],
    ["10.0.0.1", "10.0.0.2", "10.0.0.2"],
    ["192.0.2.1", "203.0.113.9", "192.0.2.1"],
    ["10.0.0.1", "192.0.2.7:4711", "192.0.2.7"],
    ["10.0.0.1", "[2001:DB8::7]:4711", "2001:db8::7"],
    ["10.0.0.1", "2001:db8::7", "2001:db8::7"],
    ["10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"],
    ["10.0.0.1", "unknown", "10.0.0.1"],
    ["10.0.0.1", "192.0.2.7, garbage", "10.0.0.1"],
    ["10.0.0.1", "192.0.2.7,", "10.0.0.1"],
    ["10.0.0.1", "127.0.0.1", "10.0.0.1"],
    ["127.0.0.1", "127.0.0.5", "127.0.0.5"],
    ["10.0.0.1", "0.0.0.0", "10.0.0.1"],
  ];
  for (const [from, list, expected] of cases) assertEquals(client(from, list), expected, list);
  const others: [list: string, expected: string][] = [
    ["for=192.0.2.7;proto=https", "192.0.2.7"],
    ['proto=http; For="[2001:db8::7]:4711"', "2001:db8::7"],
    ["for=203.0.113.9, for=192.0.2.7", "192.0.2.7"],
    ["for=_hidden", "10.0.0.1"],
    ["by=192.0.2.7", "10.0.0.1"],
    ["192.0.2.7", "10.0.0.1"],
  ];
  for (const [list, expected] of others) {
    assertEquals(client("10.0.0.1", list, "forwarded"), expected, list);
  }
  assertEquals(clientOf("10.0.0.1", new Headers(), "forwarded", () => true), "10.0.0.1");
});
