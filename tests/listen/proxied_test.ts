/** Servers behind proxies that tell by the PROXY protocol whose connections they pass on. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type Connection, listen, type Server } from "../../mod.ts";
import type { ListenOptions, Refusal } from "../../server.ts";
import { certificates } from "../support/certificates.ts";
import { HeaderProxy, version1, version2 } from "../support/proxy_headers.ts";
import { ascii, RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const CLIENT = "192.0.2.7:50000";
/** The message "hello". */
const HELLO = [5, ...ascii("hello")];
const { good, ca } = await certificates;

interface Proxied extends AsyncDisposable {
  readonly server: Server;
  readonly endpoint: string;
  readonly refused: Refusal[];
  /** The next refusal. */
  refusal(): Promise<Refusal>;
}

/** A server that answers each message with the peer's address before it. */
async function proxied(
  options: ListenOptions = {},
  endpoint = "tcp://127.0.0.1:0?framing=u8&proxy=1",
) {
  const refused: Refusal[] = [];
  let told = Promise.withResolvers<Refusal>();
  const server = await listen(endpoint, {
    proxies: ["127.0.0.1"],
    tls: good,
    onRefuse(refusal) {
      refused.push(refusal);
      told.resolve(refusal);
    },
    ...options,
  }, async (connection: Connection) => {
    for await (const message of connection) {
      await connection.send(`${connection.remote} ${new TextDecoder().decode(message)}`);
    }
  });
  const all: Proxied = {
    server,
    endpoint: server.endpoints[0],
    refused,
    async refusal() {
      const refusal = await told.promise;
      told = Promise.withResolvers();
      return refusal;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return all;
}

/** What the server answers to these chunks, each of which is written on its own. */
async function answerTo(endpoint: string, ...chunks: Iterable<number>[]): Promise<string> {
  using peer = await RawPeer.connect(endpoint.replace("&proxy=1", ""));
  for (const chunk of chunks) await peer.send(chunk);
  const [length] = await peer.receive(1);
  return new TextDecoder().decode(await peer.receive(length ?? 0));
}

Deno.test("listen() with proxy=1 has the client's address of a header that is cut anywhere", async () => {
  await using proxy = await proxied();
  for (const header of [version1(), version2(), version2({ sum: true })]) {
    const all = [...header, ...HELLO];
    await Promise.all(all.map(async (_, cut) => {
      const answer = await answerTo(proxy.endpoint, all.slice(0, cut), all.slice(cut));
      assertEquals(answer, `${CLIENT} hello`, `cut at ${cut}`);
    }));
    using peer = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
    await peer.sendByteByByte(all);
    assertEquals((await peer.receive(22)).length, 22);
  }
  assertEquals(proxy.refused, []);
});

Deno.test("listen() with proxy=1 takes the proxy's own address where the header names no client", async () => {
  await using proxy = await proxied();
  const silent = [
    version1("PROXY UNKNOWN"),
    version2({ command: 0x20 }),
    version2({ family: 0, ends: [] }),
    version1("PROXY TCP4 0.0.0.0 198.51.100.1 50000 443"),
  ];
  for (const header of silent) {
    assertMatch(await answerTo(proxy.endpoint, header, HELLO), /^127\.0\.0\.1:\d+ hello$/);
  }
});

Deno.test("listen() with proxy=1 believes loopback of proxies on this machine, and of no other", async () => {
  const { ProxiedPeer } = await import("../../transport/proxied.ts");
  for (const [from, expected] of [["127.0.0.1", "127.0.0.9"], ["10.0.0.5", "10.0.0.5"]]) {
    const header = version1("PROXY TCP4 127.0.0.9 127.0.0.1 50000 443");
    const conn = {
      remoteAddr: { transport: "tcp", hostname: from, port: 1 },
      read: (target: Uint8Array) => Promise.resolve(target.set(header) ?? header.length),
      close() {},
    } as unknown as Deno.TcpConn;
    const peer = new ProxiedPeer(conn, () => assert(false) as never, () => true);
    await peer.identify({ signal: new AbortController().signal });
    assertEquals(peer.hostname, expected);
  }
});

Deno.test("listen() with proxy=1 refuses who is no named proxy, with and without a header", async () => {
  await using proxy = await proxied({ proxies: ["10.0.0.0/8", "::1"] });
  for (const chunk of [[...version1(), ...HELLO], HELLO]) {
    using peer = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
    await peer.send(chunk).catch(() => {}); // It may be closed already.
    assertEquals(await peer.drain(), 0);
    const { hostname, reason, error } = await proxy.refusal();
    assertEquals([hostname, reason], ["127.0.0.1", "proxy"]);
    assertMatch(String(error), /Cannot take 127\.0\.0\.1 for a proxy: it is not among/);
  }
  assertEquals(proxy.server.stats.refusals.proxy, 2);
  assertEquals(proxy.server.stats.accepted, 0);
});

Deno.test("listen() with proxy=1 refuses what is no header, and headers that end too soon", async () => {
  await using proxy = await proxied();
  const wrong: [Uint8Array | number[], RegExp][] = [
    [HELLO, /it begins with "/],
    [version1("PROXY TCP4 1 2 3 4"), /its line is/],
    [version2({ length: 65_535 }), /65551 bytes, limit is 4096 bytes/],
    [version2({ family: 0x41 }), /its family of addresses is 0x41/],
    [version1().subarray(0, 20), /the peer ended inside it/],
  ];
  for (const [chunk, expected] of wrong) {
    using peer = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
    await peer.send(chunk);
    await peer.closeWrite();
    assertEquals(await peer.drain(), 0);
    const { reason, error } = await proxy.refusal();
    assertEquals(reason, "proxy");
    assertMatch(String(error), expected);
  }
});

Deno.test("listen() with proxy=1 says nothing of a peer that leaves before its first byte", async () => {
  await using proxy = await proxied();
  using peer = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  await peer.closeWrite();
  assertEquals(await peer.drain(), 0);
  assertEquals([proxy.refused, proxy.server.stats.refused], [[], 0]);
});

Deno.test("listen() with proxy=1 waits for the header no longer than handshakeTimeout, and nobody else waits", async () => {
  await using proxy = await proxied({ handshakeTimeout: 500 });
  using silent = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  using slow = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  await slow.send(version1().subarray(0, 12));
  assertEquals(await answerTo(proxy.endpoint, version1(), HELLO), `${CLIENT} hello`);
  assertEquals([await silent.drain(), await slow.drain()], [0, 0]);
  assertMatch(String((await proxy.refusal()).error), /not finished within 500 ms/);
});

Deno.test("listen() with proxy=1 counts, allows and denies by the client's address, not the proxy's", async () => {
  await using proxy = await proxied({
    maxConnectionsPerAddress: 1,
    maxConnectionRate: 3,
    allow: ["192.0.2.0/24"],
    deny: ["192.0.2.66"],
  });
  const { endpoint } = proxy;
  const from = (host: number) => version1(`PROXY TCP4 192.0.2.${host} 198.51.100.1 50000 443`);
  using first = await RawPeer.connect(endpoint.replace("&proxy=1", ""));
  await first.send([...from(1), ...HELLO]);
  assertEquals((await first.receive(1)).length, 1);
  // The second of one address is one too many; others come in.
  assertEquals(await answerTo(endpoint, from(1), HELLO).catch(() => ""), "");
  for (const host of [2, 3, 4, 5, 6, 7, 8]) {
    assertEquals(await answerTo(endpoint, from(host), HELLO), `192.0.2.${host}:50000 hello`);
  }
  assertEquals(await answerTo(endpoint, from(66), HELLO).catch(() => ""), "");
  assertEquals(await answerTo(endpoint, version2({ command: 0x20 }), HELLO).catch(() => ""), "");
  // The server may tell it a moment after the peer has seen it.
  while (proxy.refused.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(proxy.refused.map(({ hostname, reason }) => [hostname, reason]), [
    ["192.0.2.1", "maxConnectionsPerAddress"],
    ["192.0.2.66", "denied"],
    ["127.0.0.1", "denied"],
  ]);
});

Deno.test("listen() with proxy=1 has at most maxConnections peers whose header has not come", async () => {
  await using proxy = await proxied({ maxConnections: 2 });
  using _one = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  using two = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  using three = await RawPeer.connect(proxy.endpoint.replace("&proxy=1", ""));
  assertEquals(await three.drain(), 0);
  assertEquals((await proxy.refusal()).reason, "maxConnections");
  // One that has greeted is one of the connections, and its place among the others is free.
  await two.send([...version1(), ...HELLO]);
  assertEquals((await two.receive(22)).length, 22);
  assertEquals(await answerTo(proxy.endpoint, version2(), HELLO), `${CLIENT} hello`);
});

for (const endpoint of ["tcp", "tls", "ws", "wss"].map((kind) => `${kind}://127.0.0.1:0`)) {
  for (const session of [false, true]) {
    const name = session ? `${endpoint} with sessions` : endpoint;
    Deno.test(`listen() with proxy=1 has the client's address at ${name}`, async () => {
      await using proxy = await proxied({ session }, `${endpoint}?proxy=1`);
      await using front = new HeaderProxy(proxy.endpoint, version2({ sum: true }));
      const at = front.at(proxy.endpoint);
      await using client = await connect(at, { tls: { ca: ca.cert } });
      await client.send("hello");
      assertEquals(await receiveText(client), `${CLIENT} hello`);
      const [connection] = proxy.server.connections;
      assertEquals(connection.endpoint, proxy.endpoint);
      assertMatch(proxy.endpoint, /[?&]proxy=1$/);
    });
  }
}

Deno.test("listen() with proxy=1 closes while headers are awaited", async () => {
  const { server, endpoint } = await proxied();
  using peer = await RawPeer.connect(endpoint.replace("&proxy=1", ""));
  await peer.send(version1().subarray(0, 5));
  assertEquals(await answerTo(endpoint, version1(), HELLO), `${CLIENT} hello`);
  await server.close();
  assertEquals(await peer.drain(), 0);
});

Deno.test("listen() with proxy=1 needs proxies, and connect() cannot use it", async () => {
  await assertRejects(
    () => listen("ws://127.0.0.1:0/?proxy=1"),
    TypeError,
    'Cannot listen on "ws://127.0.0.1:0/?proxy=1": proxy=1 needs the addresses of the proxies, such as proxies: ["10.0.0.0/8"]',
  );
  await assertRejects(
    () => listen(":0?proxy=1", { proxies: ["10.0.0.1/8"] }),
    TypeError,
    'Cannot use proxies "10.0.0.1/8": its address goes beyond its prefix',
  );
  await assertRejects(
    () => connect("tls://127.0.0.1:1?proxy=1"),
    TypeError,
    "Cannot connect to tls://127.0.0.1:1?proxy=1: proxy=1 is for listening; connect to the proxy",
  );
});

Deno.test("listen() without proxy=1 takes a header for bytes of the peer, though the proxy is named", async () => {
  await using proxy = await proxied({}, "tcp://127.0.0.1:0?framing=line");
  using peer = await RawPeer.connect(proxy.endpoint);
  await peer.send(version1());
  assertMatch(
    new TextDecoder().decode(await peer.receive(60)),
    /^127\.0\.0\.1:\d+ PROXY TCP4 192\.0\.2\.7/,
  );
});
