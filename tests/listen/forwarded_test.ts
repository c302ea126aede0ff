/** WebSocket endpoints behind proxies of HTTP, which tell the client's address in the request. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect, type Connection, listen } from "../../mod.ts";
import type { ListenOptions, Refusal, Server } from "../../server.ts";
import { certificates } from "../support/certificates.ts";
import { HeaderProxy, version2 } from "../support/proxy_headers.ts";
import { RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const { good, ca } = await certificates;
const LOCAL = /^127\.0\.0\.1:\d+$/;

interface World extends AsyncDisposable {
  readonly server: Server;
  readonly endpoint: string;
  readonly refused: Refusal[];
}

/** A server that tells each peer its address. */
async function world(options: ListenOptions = {}, endpoint = "ws://127.0.0.1:0/"): Promise<World> {
  const refused: Refusal[] = [];
  const all = { proxies: ["127.0.0.1"], tls: good, ...options };
  const server = await listen(
    endpoint,
    { ...all, onRefuse: (refusal) => refused.push(refusal) },
    async (connection: Connection) => {
      await connection.send(connection.remote);
      for await (const message of connection) await connection.send(message);
    },
  );
  return {
    server,
    endpoint: server.endpoints[0],
    refused,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function from(list: string, more: Record<string, string> = {}) {
  return { tls: { ca: ca.cert }, web: { headers: { "X-Forwarded-For": list, ...more } } };
}

/** Why peers were refused. The server may tell it a moment after the peer has got its answer. */
async function reasons({ refused }: World, count: number): Promise<string[]> {
  while (refused.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  return refused.map(({ reason }) => reason);
}

/** The first line of the answer to some bytes. */
async function answerTo(endpoint: string, request: string): Promise<string> {
  using peer = await RawPeer.connect(endpoint);
  await peer.send(request);
  await peer.closeWrite();
  return new TextDecoder().decode(await peer.receive(400)).split("\r\n")[0];
}

for (const kind of ["ws", "wss"]) {
  for (const session of [false, true]) {
    const what = `${kind}:${session ? " with sessions" : ""}`;
    Deno.test(`listen() has the client's address of X-Forwarded-For from a named proxy, over ${what}`, async () => {
      await using here = await world({ session }, `${kind}://127.0.0.1:0/`);
      await using client = await connect(here.endpoint, from("203.0.113.9, 192.0.2.7"));
      assertEquals(await receiveText(client), "192.0.2.7:0");
      await client.send("hello");
      assertEquals(await receiveText(client), "hello");
      await using plain = await connect(here.endpoint, { tls: { ca: ca.cert } });
      assertMatch(await receiveText(plain) ?? "", LOCAL);
    });
  }
}

Deno.test("listen() believes no forwarded address of who is not named, nor in the other field", async () => {
  for (const proxies of [undefined, ["10.0.0.1"]]) {
    await using here = await world({ proxies });
    await using client = await connect(here.endpoint, from("192.0.2.7"));
    assertMatch(await receiveText(client) ?? "", LOCAL);
  }
  await using here = await world();
  const headers = { Forwarded: "for=192.0.2.7" };
  await using client = await connect(here.endpoint, { web: { headers } });
  assertMatch(await receiveText(client) ?? "", LOCAL);
  await using other = await world({ web: { forwarded: "forwarded" } });
  const more = { Forwarded: "for=192.0.2.8" };
  await using forwarded = await connect(other.endpoint, from("192.0.2.7", more));
  assertEquals(await receiveText(forwarded), "192.0.2.8:0");
});

Deno.test("listen() counts, allows and denies by the forwarded address", async () => {
  await using here = await world({ maxConnectionsPerAddress: 1, deny: ["192.0.2.66"] });
  await using _one = await connect(here.endpoint, from("192.0.2.1"));
  await using _two = await connect(here.endpoint, from("192.0.2.2"));
  for (const address of ["192.0.2.1", "192.0.2.66"]) {
    assertEquals(await connect(here.endpoint, from(address)).catch(() => "refused"), "refused");
  }
  assertEquals(await reasons(here, 2), ["maxConnectionsPerAddress", "denied"]);
  assertEquals(here.refused.map(({ hostname, reason }) => [hostname, reason]), [
    ["192.0.2.1", "maxConnectionsPerAddress"],
    ["192.0.2.66", "denied"],
  ]);
});

Deno.test("listen() reads forwarded addresses behind a PROXY header only of a named proxy", async () => {
  for (
    const [proxies, expected] of [[["127.0.0.1"], "192.0.2.7:50000"], [
      ["127.0.0.1", "192.0.2.7"],
      "203.0.113.9:0",
    ]] as const
  ) {
    await using here = await world({ proxies }, "ws://127.0.0.1:0/?proxy=1");
    await using front = new HeaderProxy(here.endpoint, version2());
    await using client = await connect(front.at(here.endpoint), from("203.0.113.9"));
    assertEquals(await receiveText(client), expected);
  }
});

Deno.test("listen() answers a named proxy's other requests, and what is no request, as always", async () => {
  await using here = await world();
  const head = "Host: h\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n";
  assertEquals(await answerTo(here.endpoint, `GET /health HTTP/1.1\r\n${head}`), "HTTP/1.1 200 OK");
  assertMatch(await answerTo(here.endpoint, `GET / HTTP/3.0\r\n${head}`), /^HTTP\/1\.1 400/);
  assertMatch(await answerTo(here.endpoint, `GET / HTTP/1.1\r\nX: ${"x".repeat(65_536)}`), /431/);
  assertEquals(await answerTo(here.endpoint, ""), "");
  assertEquals(await reasons(here, 2), ["handshake", "handshake"]);
});

Deno.test("listen() waits for the request of a named proxy no longer than handshakeTimeout", async () => {
  await using here = await world({ handshakeTimeout: 500 });
  using silent = await RawPeer.connect(here.endpoint);
  await silent.send("GET / HTTP/1.1\r\nX-Forw");
  await using client = await connect(here.endpoint, from("192.0.2.7"));
  assertEquals(await receiveText(client), "192.0.2.7:0");
  assertEquals(await silent.drain(), 0);
  assertEquals(await reasons(here, 1), ["proxy"]);
});
