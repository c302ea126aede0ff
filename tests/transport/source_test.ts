import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type ConnectOptions } from "../../client.ts";
import { ConnectError } from "../../errors.ts";
import { listen } from "../../mod.ts";
import { certificates } from "../support/certificates.ts";
import { runHere, ServerHere } from "../support/in_process.ts";
import { HttpProxy, SocksProxy } from "../support/proxies.ts";
import { conformance } from "../support/transport_conformance.ts";

conformance({
  name: "tcp from a source",
  endpoint: () => "tcp://127.0.0.1:0",
  connectOptions: { source: "127.0.0.1" },
});

const { ca, good } = await certificates;
/** An address of loopback that no connection has by itself; only Linux has all of 127.0.0.0/8. */
const SOURCE = Deno.build.os === "linux" ? "127.0.0.7" : "127.0.0.1";

/** The host from which a server sees a client that connects to one of its endpoints. */
async function seen(endpoint: string, options: ConnectOptions = {}): Promise<string> {
  const remote = Promise.withResolvers<string>();
  await using server = await listen(endpoint, { tls: good }, async (connection) => {
    remote.resolve(connection.remote);
    for await (const message of connection) await connection.send(message);
  });
  await using connection = await connect(server.endpoints[0], {
    source: SOURCE,
    tls: { ca: ca.cert },
    ...options,
  });
  await connection.send("hello");
  await connection.receive();
  return (await remote.promise).replace(/:\d+$/, "");
}

for (const transport of ["tcp", "tls", "ws", "wss", "udp"]) {
  Deno.test(`connect() over ${transport} comes from the source that it is given`, async () => {
    const session = transport !== "udp";
    assertEquals(await seen(`${transport}://127.0.0.1:0`), SOURCE);
    if (session) assertEquals(await seen(`${transport}://127.0.0.1:0?session=1`), SOURCE);
  });
}

Deno.test("connect() goes to a proxy from the source", async () => {
  for (const Proxy of [HttpProxy, SocksProxy]) {
    await using proxy = new Proxy();
    assertEquals(await seen("tcp://127.0.0.1:0", { proxy: proxy.url }), "127.0.0.1");
    assertEquals(proxy.clients, [SOURCE]);
  }
});

Deno.test("connect() says what is wrong with a source", async () => {
  const closed = "tcp://127.0.0.1:1";
  const failures: [string, string, RegExp][] = [
    [closed, SOURCE, /connection refused, nothing listens there$/],
    [closed, "192.0.2.7", /this machine does not have the address 192\.0\.2\.7 to connect from$/],
    [closed, "::1", /::1 is of IPv6, and 127\.0\.0\.1 is not$/],
    ["tcp://no.invalid:1", SOURCE, /unknown host, or it has no address of IPv4, as \S+ is$/],
    ["udp://127.0.0.1:1", "::1", /::1 and 127\.0\.0\.1 are of IPv4 and IPv6: both must be/],
    ["udp://127.0.0.1:1", "192.0.2.7", /does not have that address/],
  ];
  for (const [endpoint, source, words] of failures) {
    const { message } = await assertRejects(() => connect(endpoint, { source }), ConnectError);
    assertMatch(message, words);
  }
  for (const [endpoint, source] of [[closed, "localhost"], ["unix:/tmp/x", SOURCE]]) {
    await assertRejects(() => connect(endpoint, { source }), TypeError, "source");
  }
});

Deno.test("client.ts --source connects from that address, and refuses it where there is none", async () => {
  await using server = await ServerHere.start([":0", "--service", "print"]);
  const [endpoint] = server.endpoints;
  const { code } = await runHere("client.ts", [endpoint, "send", "x", "--source", SOURCE]);
  assertEquals(code, 0);
  const line = await server.nextLine();
  assertEquals(line.replace(/:\d+: /, ": "), `${SOURCE}: x`);
  const refused = await runHere("client.ts", ["unix:/tmp/x", "send", "x", "--source", SOURCE]);
  assertEquals(refused.code, 2);
});
