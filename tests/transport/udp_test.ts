import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setImmediate } from "node:timers";
import { Connection } from "../../connection.ts";
import type { ConnectionOptions } from "../../connection/types.ts";
import { MessageTooLargeError } from "../../errors.ts";
import * as lengthwise from "../../mod.ts";
import {
  formatAddress,
  parseEndpoint,
  type Transport,
  type UdpEndpoint,
  type UdpListenOptions,
} from "../../transport.ts";
import type { TransportListener } from "../../transport/kind.ts";
import { udp } from "../../transport/udp.ts";
import { resolve } from "../../transport/udp/addresses.ts";
import { Mailbox } from "../../transport/udp/mailbox.ts";
import { NC, Program, testWith } from "../interop/peers.ts";
import { asText, receiveText } from "../support/texts.ts";

const { signal } = new AbortController();
const SOCAT = { name: "socat", probe: ["socat", "-V"] };

function listen(endpoint = "udp://127.0.0.1:0", options: UdpListenOptions = {}) {
  return udp.listen(parseEndpoint(endpoint) as UdpEndpoint, { backlog: 1, udp: options });
}

function connectTo({ endpoint }: TransportListener, changes: Partial<UdpEndpoint> = {}) {
  return udp.connect({ ...endpoint as UdpEndpoint, ...changes }, { signal });
}

async function accept(listener: TransportListener): Promise<Transport> {
  return (await (await listener.accept()).open({ signal }))!;
}

/** Both ends of one connection. */
async function pair(options: ConnectionOptions & UdpListenOptions & { endpoint?: string } = {}) {
  const { endpoint, idleTimeout, ...rest } = options;
  const listener = await listen(endpoint, { idleTimeout });
  const client = new Connection(await connectTo(listener), rest);
  await client.send("hello");
  const server = new Connection(await accept(listener), rest);
  assertEquals(await receiveText(server), "hello");
  return {
    listener,
    client,
    server,
    async [Symbol.asyncDispose]() {
      listener.close();
      await Promise.all([client.close(), server.close()]);
    },
  };
}

/** Echoes to everyone, until it is disposed of. */
async function echo() {
  const listener = await listen();
  const connections: Connection[] = [];
  const accepting = (async () => {
    for (;;) {
      const connection = new Connection(await accept(listener));
      connections.push(connection);
      (async () => {
        for await (const message of connection) await connection.send(message);
      })();
    }
  })().catch(() => {}); // It ends when the listener closes.
  return {
    port: (listener.endpoint as UdpEndpoint).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** A socket without Lengthwise. */
async function rawSocket(hostname = "127.0.0.1") {
  const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
  socket.bind(0, hostname);
  await once(socket, "listening");
  return {
    socket,
    port: socket.address().port,
    send: (text: string, to: { port: number }) =>
      new Promise<void>((resolve, reject) =>
        socket.send(text, to.port, hostname, (error) => error ? reject(error) : resolve())
      ),
    [Symbol.dispose]: () => void socket.close(),
  };
}

Deno.test("udp carries messages both ways, each as a datagram, empty ones too", async () => {
  await using ends = await pair();
  for (const size of [0, 1, 1_400, 0, 32_768, 32_769, 65_507]) {
    const message = new Uint8Array(size).fill(size);
    await ends.client.send(message);
    assertEquals(await ends.server.receive(), message);
    await ends.server.send(message);
    assertEquals(await ends.client.receive(), message);
  }
  assertEquals(ends.client.stats.messagesSent, 8);
});

Deno.test("udp gives messages whose slice() is a copy", async () => {
  await using ends = await pair();
  for (const size of [3, 60_000]) {
    await ends.client.send(new Uint8Array(size));
    const message = (await ends.server.receive())!;
    message.slice()[0] = 1;
    assertEquals(message[0], 0);
  }
});

Deno.test("udp refuses to send more than a datagram holds, and goes on", async () => {
  await using ends = await pair();
  const error = await assertRejects(
    () => ends.client.send(new Uint8Array(65_508)),
    MessageTooLargeError,
    "Cannot send message of 65508 bytes: limit is 65507 bytes (a UDP datagram holds no more)",
  );
  assertEquals([error.size, error.limit], [65_508, 65_507]);
  assertThrows(() => ends.client.framing.encode(new Uint8Array(65_508)), MessageTooLargeError);
  await ends.client.send("still here");
  assertEquals(await receiveText(ends.server), "still here");
});

Deno.test("udp sends more than it accepts when maxMessageBytes is lower", async () => {
  const listener = await listen();
  const client = new Connection(await connectTo(listener));
  await client.send("hello");
  const server = new Connection(await accept(listener), { maxMessageBytes: 10 });
  assertEquals(await receiveText(server), "hello");
  await server.send("more than ten bytes");
  assertEquals(await receiveText(client), "more than ten bytes");
  await client.send("more than ten bytes");
  await assertRejects(() => server.receive(), MessageTooLargeError, "limit is 10 bytes");
  listener.close();
  await client.close();
});

Deno.test("udp works over IPv6, with room for 65527 bytes", async () => {
  await using ends = await pair({ endpoint: "udp://[::1]:0" });
  assertMatch(ends.server.remote, /^\[::1\]:\d+$/);
  await ends.server.send(new Uint8Array(65_527));
  assertEquals((await ends.client.receive())?.length, 65_527);
  await assertRejects(() => ends.client.send(new Uint8Array(65_528)), MessageTooLargeError);
});

Deno.test("udp makes a connection of each remote address, with its hostname", async () => {
  const listener = await listen();
  using a = await rawSocket();
  using b = await rawSocket();
  const to = listener.endpoint as UdpEndpoint;
  await a.send("a1", to);
  const first = await listener.accept();
  assertEquals(first.hostname, "127.0.0.1");
  const transport = (await first.open({ signal }))!;
  assertEquals(transport.remote, `127.0.0.1:${a.port}`);
  assertEquals(transport.local, `127.0.0.1:${to.port}`);
  await b.send("b1", to);
  await a.send("a2", to);
  const other = await accept(listener);
  assertEquals(other.remote, `127.0.0.1:${b.port}`);
  assertEquals(asText(await other.read()), "b1");
  assertEquals(asText(await transport.read()), "a1");
  assertEquals(asText(await transport.read()), "a2");
  for (const end of [transport, other, listener]) end.close();
});

Deno.test("udp ends a quiet peer's connection at idleTimeout; its next datagram makes a new one", async () => {
  await using ends = await pair({ idleTimeout: 100 });
  const client = ends.client;
  await client.send("last");
  assertEquals(await receiveText(ends.server), "last");
  assertEquals(await ends.server.receive(), undefined);
  assertEquals((await ends.server.closed).clean, true);
  await client.send("again");
  const next = new Connection(await accept(ends.listener));
  assertEquals(next.remote, ends.server.remote);
  assertEquals(await receiveText(next), "again");
  await next.close();
});

Deno.test("udp tells nobody of close(): the server's connection expires", async () => {
  const listener = await listen(undefined, { idleTimeout: 500 });
  const client = new Connection(await connectTo(listener));
  await client.send("bye");
  const server = new Connection(await accept(listener));
  assertEquals((await client.close()).clean, true);
  assertEquals(await receiveText(server), "bye");
  assertEquals(server.state, "open");
  assertEquals(await server.receive(), undefined);
  listener.close();
});

Deno.test("udp lets a connection go on that only sends", async () => {
  await using ends = await pair({ idleTimeout: 500 });
  const until = performance.now() + 700;
  let count = 0;
  while (performance.now() < until) {
    await ends.server.send(`${count++}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(ends.server.state, "open");
  assertEquals(await receiveText(ends.client), "0");
});

Deno.test("udp refuse() drops the peer's datagrams for a while, and counts them", async () => {
  const listener = await listen();
  using a = await rawSocket();
  using b = await rawSocket();
  const to = listener.endpoint as UdpEndpoint;
  await a.send("1", to);
  (await listener.accept()).refuse();
  await a.send("2", to);
  await b.send("1", to);
  // Datagrams on loopback stay in order: the next peer is not the refused one.
  const next = await accept(listener);
  assertEquals(next.remote, `127.0.0.1:${b.port}`);
  assertEquals((listener as { dropped?: number }).dropped, 1);
  next.close();
  listener.close();
});

Deno.test("udp connect() hears only whom it connected to", async () => {
  const listener = await listen();
  const client = await connectTo(listener);
  await client.write(new TextEncoder().encode("hello"));
  const server = await accept(listener);
  using stranger = await rawSocket();
  const port = Number(client.local.split(":")[1]);
  assertEquals(client.local, `127.0.0.1:${port}`);
  await stranger.send("I am the server", { port });
  await server.write(new TextEncoder().encode("no, I am"));
  assertEquals(asText(await client.read()), "no, I am");
  for (const end of [client, server, listener]) end.close();
});

Deno.test("udp connect() to the address of a listener on all addresses reaches it", async () => {
  const listener = await listen("udp://0.0.0.0:0");
  const client = new Connection(await connectTo(listener));
  await client.send("hello");
  const server = new Connection(await accept(listener));
  await server.send("hello yourself");
  assertEquals(await receiveText(client), "hello yourself");
  await Promise.all([client.close(), server.close()]);
  listener.close();
});

Deno.test("udp drops and counts what comes when a slow reader has 1 MiB waiting", async () => {
  const budget = { used: 0 };
  const mailbox = new Mailbox(budget);
  for (let i = 0; i < 20; i++) mailbox.put(new Uint8Array(60_000).fill(i));
  assert(budget.used <= 1024 * 1024, `${budget.used} bytes`);
  assertEquals(mailbox.dropped, 3);
  assertEquals((await mailbox.read())![0], 0);
  mailbox.put(new Uint8Array(60_000).fill(99));
  for (let i = 1; i < 17; i++) assertEquals((await mailbox.read())![0], i);
  assertEquals((await mailbox.read())![0], 99);
  assertEquals(budget.used, 0);
});

Deno.test("udp bounds a flood of empty datagrams, and what all peers hold together", () => {
  const budget = { used: 0 };
  const mailbox = new Mailbox(budget);
  for (let i = 0; i < 10_000; i++) mailbox.put(new Uint8Array(0));
  assertEquals(mailbox.dropped, 10_000 - 4096);
  budget.used = 64 * 1024 * 1024;
  const late = new Mailbox(budget);
  late.put(new Uint8Array(30_000));
  late.put(new Uint8Array(30_000));
  late.put(new Uint8Array(30_000));
  assertEquals(late.dropped, 1);
  late.close();
  assertEquals(budget.used, 64 * 1024 * 1024);
});

Deno.test("udp holds no more than 1024 peers that wait to be accepted", async () => {
  const listener = await listen();
  const to = listener.endpoint as UdpEndpoint;
  // One socket per peer, so that there are as many addresses.
  for (let i = 0; i < 1100; i++) {
    using socket = await rawSocket();
    await socket.send(`${i}`, to);
    await new Promise((resolve) => setImmediate(resolve)); // for the listener to read it
  }
  const { dropped } = listener as { dropped?: number };
  assert(dropped! > 0 && dropped! <= 76, `${dropped} dropped`);
  let waiting = 0;
  for (; waiting < 1024; waiting++) (await listener.accept()).refuse();
  const pending = listener.accept();
  listener.close();
  await assertRejects(() => pending, Deno.errors.BadResource);
});

Deno.test("udp listener.close() leaves the connections that are open, and takes no new ones", async () => {
  const ends = await pair();
  ends.listener.close();
  await assertRejects(() => ends.listener.accept(), Deno.errors.BadResource);
  await ends.server.send("goodbye");
  const { clean } = await ends.server.close();
  assertEquals(clean, true);
  assertEquals(await receiveText(ends.client), "goodbye");
  await ends.client.close();
});

Deno.test("listen() on udp: refuses peers above maxConnections, and flushes when it closes", async () => {
  const refused = Promise.withResolvers<unknown>();
  const server = await lengthwise.listen("udp://127.0.0.1:0", {
    maxConnections: 1,
    onRefuse: refused.resolve,
  });
  const first = await lengthwise.connect(server.endpoints[0]);
  await first.send("hello");
  const { value: accepted } = await server[Symbol.asyncIterator]().next();
  assertEquals(await receiveText(accepted!), "hello");
  await using second = await lengthwise.connect(server.endpoints[0]);
  await second.send("me too");
  await refused.promise;
  assertEquals([server.stats.accepted, server.stats.refused], [1, 1]);
  accepted!.send("goodbye");
  await server.close();
  assertEquals(await receiveText(first), "goodbye");
  await first.close();
});

Deno.test("udp read() ends after close(), also one that waits", async () => {
  const listener = await listen();
  const client = await connectTo(listener);
  const reading = client.read();
  client.close();
  client.close();
  assertEquals(await reading, undefined);
  assertEquals(await client.read(), undefined);
  await assertRejects(() => client.write(new Uint8Array(1)), Deno.errors.BadResource);
  listener.close();
  listener.close();
});

Deno.test("udp listen() says why it cannot: port in use, address of another machine, bad group", async () => {
  const listener = await listen();
  const { port } = listener.endpoint as UdpEndpoint;
  await assertRejects(() => listen(`udp://127.0.0.1:${port}`), Deno.errors.AddrInUse);
  listener.close();
  await assertRejects(() => listen("udp://203.0.113.7:0"), Deno.errors.AddrNotAvailable);
  for (
    const [endpoint, message] of [
      ["udp://0.0.0.0:0?group=10.0.0.1", "Cannot use group 10.0.0.1: it must be a multicast"],
      ["udp://0.0.0.0:0?group=ff02::1", "both must be IPv4 or both IPv6; [::]:0 lets"],
      ["udp://[::1]:0?ttl=2", "Cannot use ttl 2: it is only for IPv4"],
    ]
  ) await assertRejects(() => listen(endpoint), TypeError, message);
  await assertRejects(
    () => udp.listen({ transport: "udp", hostname: "127.0.0.1", port: 0, ttl: 0 }, { backlog: 1 }),
    RangeError,
    "from 1 to 255",
  );
  await assertRejects(() => listen(undefined, { idleTimeout: 0 }), RangeError, "udp.idleTimeout 0");
});

Deno.test("udp connect() says why it cannot", async () => {
  const to = (endpoint: string) => udp.connect(parseEndpoint(endpoint) as UdpEndpoint, { signal });
  await assertRejects(
    () => to("udp://127.0.0.1:5?group=239.1.2.3"),
    TypeError,
    "connect to udp://239.1.2.3:5",
  );
  await assertRejects(() => to("udp://no.such.host.invalid:5"), Error, "failed to lookup address");
  const reason = new Error("enough");
  await assertRejects(
    () =>
      udp.connect(parseEndpoint("udp://127.0.0.1:5") as UdpEndpoint, {
        signal: AbortSignal.abort(reason),
      }),
    Error,
    "enough",
  );
});

Deno.test("udp resolve() gives an IPv6 address one spelling, and keeps its zone", async () => {
  assertEquals(await resolve("0:0:0:0:0:0:0:1"), "::1");
  assertEquals(await resolve("FE80::0:1%lo"), "fe80::1%lo");
  assertEquals(await resolve("127.0.0.1"), "127.0.0.1");
});

Deno.test("udp needs no permission but that for the network, and never asks", async () => {
  const code = `
    import { udp } from "${new URL("../../transport/udp.ts", import.meta.url)}";
    const endpoint = { transport: "udp", hostname: "127.0.0.1", port: 0 };
    const { signal } = new AbortController();
    try {
      const listener = await udp.listen(endpoint, { backlog: 1 });
      const client = await udp.connect(listener.endpoint, { signal });
      await client.write(new Uint8Array(3));
      const server = await (await listener.accept()).open({ signal });
      console.log((await server.read()).length);
      await server.write(new Uint8Array(4));
      console.log((await client.read()).length);
      for (const end of [client, server, listener]) end.close();
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }`;
  for (
    const [flags, stdout] of [
      [["--allow-net"], "3\n4\n"],
      [["--allow-net=127.0.0.1"], "3\n4\n"],
      [
        [],
        'NotCapable: Requires net access to "127.0.0.1:0", run again with the --allow-net flag\n',
      ],
    ] as const
  ) {
    await using program = new Program([
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt", ...flags],
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      `data:text/javascript,${encodeURIComponent(code)}`,
    ]);
    assertEquals(await program.ended, { code: 0, stdout, stderr: "" });
  }
});

Deno.test("udp sends to a broadcast address only with ?broadcast=1, and hears all who answer", async () => {
  const listener = await listen("udp://0.0.0.0:0");
  const without = await connectTo(listener, { hostname: "127.255.255.255" });
  await assertRejects(
    () => without.write(new Uint8Array(1)),
    Error,
    "the system does not send to 127.255.255.255; a broadcast address needs ?broadcast=1",
  );
  without.close();
  const client = await connectTo(listener, { hostname: "127.255.255.255", broadcast: true });
  await client.write(new TextEncoder().encode("anyone?"));
  const server = await accept(listener);
  assertEquals(asText(await server.read()), "anyone?");
  await server.write(new TextEncoder().encode("me"));
  assertEquals(asText(await client.read()), "me");
  for (const end of [client, server, listener]) end.close();
});

/** Whether this machine knows a way to multicast groups. */
async function canMulticast(): Promise<boolean> {
  using raw = await rawSocket("0.0.0.0");
  try {
    raw.socket.addMembership("239.195.7.7");
  } catch {
    return false;
  }
  return await new Promise((resolve) =>
    raw.socket.send("x", 9, "239.195.7.7", (error) => resolve(error === null))
  );
}

const noMulticast = Deno.build.os === "windows" || !await canMulticast();

Deno.test({
  name: "udp sends to a multicast group, all of whose members may answer" +
    (noMulticast ? " (skipped: this machine has no route to multicast groups)" : ""),
  ignore: noMulticast,
  async fn() {
    const first = await listen("udp://0.0.0.0:0?group=239.195.7.7");
    const { port } = first.endpoint as UdpEndpoint;
    const second = await listen(`udp://0.0.0.0:${port}?group=239.195.7.7`);
    const client = await udp.connect(
      { transport: "udp", hostname: "239.195.7.7", port, ttl: 1 },
      { signal },
    );
    await client.write(new TextEncoder().encode("who is there?"));
    const answers = [];
    const servers = [];
    for (const [i, listener] of [first, second].entries()) {
      const server = await accept(listener);
      servers.push(server);
      assertEquals(asText(await server.read()), "who is there?");
      await server.write(new TextEncoder().encode(`${i}`));
      answers.push(asText(await client.read()));
    }
    assertEquals(answers, ["0", "1"]);
    for (const end of [client, ...servers, first, second]) end.close();
  },
});

await testWith(NC, "udp talks with nc -u", async () => {
  await using server = await echo();
  await using nc = new Program(["nc", "-u", "127.0.0.1", `${server.port}`]);
  await nc.type("hello\n");
  assertEquals(await nc.until("\n"), "hello\n");
  await nc.type("grüße, 漢字 and 😀\n");
  assertEquals(await nc.until("\n"), "grüße, 漢字 and 😀\n");
});

await testWith(SOCAT, "udp talks with socat", async () => {
  await using server = await echo();
  await using socat = new Program(["socat", "-", `UDP:${formatAddress("127.0.0.1", server.port)}`]);
  await socat.type("hello");
  assertEquals(await socat.until("hello"), "hello");
});
