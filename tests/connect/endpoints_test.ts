/** `connect()` and `reconnect()` with several endpoints, and sessions of them. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { connect, reconnect } from "../../client.ts";
import { Connector } from "../../connect/connector.ts";
import type { Connection } from "../../connection.ts";
import { ConnectError, ConnectionClosedError, SessionLostError, TlsError } from "../../errors.ts";
import { text } from "../../format.ts";
import { listen, type Server } from "../../server.ts";
import { type Session, SessionCode } from "../../session.ts";
import { issue } from "../support/certificates.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { Fixture } from "../support/fixture.ts";
import { deadEndpoint } from "../support/free_port.ts";

const AT_ONCE = { session: { retry: () => 1 } };

/** Servers of connections that stay until they are closed. */
class Servers implements AsyncDisposable {
  private constructor(readonly all: readonly Server[]) {}

  static async open(count: number): Promise<Servers> {
    const opening = Array.from(
      { length: count },
      () => listen("tcp://127.0.0.1:0", stay),
    );
    return new Servers(await Promise.all(opening));
  }

  get endpoints(): string[] {
    return this.all.map(({ endpoints }) => endpoints[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((server) => server.close()));
  }
}

async function stay(connection: Connection): Promise<void> {
  for await (const _ of connection);
}

// connect()

Deno.test("connect() to several endpoints passes over those that fail", async () => {
  await using servers = await Servers.open(1);
  const [endpoint] = servers.endpoints;
  const list = [deadEndpoint(), endpoint, deadEndpoint()];
  for (let i = 0; i < 10; i++) {
    await using connection = await connect(list);
    assertEquals(connection.endpoint, endpoint);
  }
});

Deno.test("connect() to several endpoints spreads over them", async () => {
  await using servers = await Servers.open(3);
  const used = new Map<string, number>();
  for (let i = 0; i < 90; i++) {
    await using connection = await connect(servers.endpoints);
    used.set(connection.endpoint, (used.get(connection.endpoint) ?? 0) + 1);
  }
  assertEquals([...used.keys()].sort(), servers.endpoints.sort()); // One missed: once in 10^15 runs.
});

Deno.test("connect() to several endpoints that all fail tells of each, once", async () => {
  const list = [deadEndpoint(), deadEndpoint(), deadEndpoint()];
  const error = await assertRejects(() => connect(list), ConnectError);
  assertInstanceOf(error.cause, AggregateError);
  assertEquals(error.cause.errors.length, 3);
  assert(error.message.startsWith("Cannot connect to any of 3 endpoints: tcp://127.0.0.1:"));
  for (const endpoint of list) {
    const reason = `${endpoint}: connection refused, nothing listens there`;
    assertEquals(error.message.split(reason).length, 2, `${error.message} without ${reason}`);
  }
});

Deno.test("connect() refuses lists that cannot be meant, before it connects anywhere", async () => {
  await using servers = await Servers.open(1);
  const [endpoint] = servers.endpoints;
  const list = (...others: string[]) => [endpoint, ...others];
  await assertRejects(() => connect([]), TypeError, "there are no endpoints");
  await assertRejects(
    () => connect(Array(65).fill(endpoint)),
    RangeError,
    "Cannot connect to 65 endpoints: limit is 64",
  );
  await assertRejects(
    () => connect(list("localhost")),
    TypeError,
    'Cannot use endpoint "localhost"',
  );
  await assertRejects(() => connect(list(":0")), TypeError, "port 0 is only for listening");
  await assertRejects(
    () => connect(list("tcp://127.0.0.1:1?session=1")),
    TypeError,
    "only one of them has sessions",
  );
  await assertRejects(
    () => connect(list("udp://127.0.0.1:1"), AT_ONCE),
    TypeError,
    "UDP has no connections",
  );
  assertEquals(servers.all[0].stats.accepted, 0);
});

Deno.test("connect() to several endpoints stops with its signal's reason", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const through = () => {
    throw new Error("it must not come so far");
  };
  controller.abort(reason);
  const { signal } = controller;
  const connecting = connect([deadEndpoint(), deadEndpoint()], { signal, through });
  assertEquals(await assertRejects(() => connecting), reason);
});

Deno.test("Connector tries all in an order drawn by lot, and the last one used at the end", async () => {
  await using servers = await Servers.open(3);
  const tried = new Map<string, Set<string>>();
  let previous: string | undefined;
  const places = servers.endpoints.map((endpoint) => ({ endpoint, options: {} }));
  const connector = new Connector(places);
  for (let i = 0; i < 60; i++) {
    const connection = await connector.connect();
    await connection.close();
    if (previous !== undefined) {
      tried.set(previous, (tried.get(previous) ?? new Set()).add(connection.endpoint));
    }
    previous = connection.endpoint;
  }
  // From each to both others, and never to the same again.
  for (const [from, to] of tried) {
    assertEquals([...to].sort(), servers.endpoints.filter((one) => one !== from).sort());
  }
  assertThrows(() => new Connector([]), TypeError);
});

// reconnect()

Deno.test("reconnect() goes to another endpoint when the connection ends, and back if it must", async () => {
  const servers = await Servers.open(2);
  const [one, two] = servers.all;
  const seen: string[] = [];
  const waits: number[] = [];
  let closing: Promise<void> | undefined;
  const retry = ({ attempt }: { attempt: number }) => {
    waits.push(attempt);
    return 0;
  };
  for await (const connection of reconnect(servers.endpoints, { retry })) {
    seen.push(connection.endpoint);
    if (seen.length === 4) break;
    const server = connection.endpoint === one.endpoints[0] ? one : two;
    // Nobody listens there any more after the second time: it can only stay with the other one.
    if (seen.length === 2) closing = server.close();
    else for (const other of server.connections) other.close();
    for await (const _ of connection);
    await connection.close();
    await closing;
  }
  const [first, second] = seen;
  assert(first !== second);
  assertEquals(seen, [first, second, first, first]);
  assertEquals(waits, [1, 2, 3]); // One wait for each connection, and none between endpoints.
  await servers[Symbol.asyncDispose]();
});

Deno.test("reconnect() goes on while one of its endpoints can get better", async () => {
  await using servers = await Servers.open(1);
  const { cert, key } = await issue("localhost", { names: ["127.0.0.1"] });
  await using wrong = await listen("tls://127.0.0.1:0", { tls: { cert, key } }, () => {});
  const list = [wrong.endpoints[0], ...servers.endpoints];
  let count = 0;
  for await (const connection of reconnect(list, { retry: () => 0 })) {
    assertEquals(connection.endpoint, servers.endpoints[0]);
    if (++count === 5) break;
  }
});

Deno.test("reconnect() ends when all of its endpoints refuse twice with the same words", async () => {
  const { cert, key } = await issue("localhost", { names: ["127.0.0.1"] });
  const open = () => listen("tls://127.0.0.1:0", { tls: { cert, key } }, () => {});
  await using one = await open();
  await using two = await open();
  let rounds = 0;
  const retry = () => {
    rounds++;
    return 0;
  };
  const error = await assertRejects(
    () => Array.fromAsync(reconnect([one.endpoints[0], two.endpoints[0]], { retry })),
    ConnectError,
  );
  assertEquals(rounds, 1);
  const { errors } = error.cause as AggregateError;
  assertEquals(errors.length, 2);
  for (const { cause } of errors) assertInstanceOf(cause, TlsError);
});

Deno.test("reconnect() without permission for one endpoint goes on with the others", async () => {
  await using servers = await Servers.open(1);
  const { port } = new URL(servers.endpoints[0]);
  await using fixture = new Fixture("several_endpoints.ts", {
    permissions: [`--allow-net=127.0.0.1:${port}`],
    args: [servers.endpoints[0], "tcp://127.0.0.1:9"],
  });
  assertEquals(await fixture.line(), `connected to ${servers.endpoints[0]} 3 times`);
});

// Sessions

/** A server of sessions that keeps what it hears, behind a proxy: so it can restart at its endpoint. */
class Site implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly sessions = new Set<Connection<string>>();
  readonly endpoint: string;
  #refused = Promise.withResolvers<void>();

  private constructor(public server: Server<string>, readonly proxy: CuttingProxy) {
    this.endpoint = `tcp://127.0.0.1:${proxy.port}`;
  }

  static async open(): Promise<Site> {
    const proxy = new CuttingProxy({ port: 1, seed: 1, cuts: 0, meanBytes: 1e9 });
    const site = new Site(await listen<string>([]), proxy);
    await site.restart();
    return site;
  }

  /** Ends the server and starts another one. */
  async restart(): Promise<void> {
    await this.server.close();
    this.server = await listen("tcp://127.0.0.1:0", {
      ...AT_ONCE,
      format: text(),
      onRefuse: () => {
        this.#refused.resolve();
        this.#refused = Promise.withResolvers();
      },
    }, async (session) => {
      this.sessions.add(session);
      for await (const message of session) this.heard.push(message);
    });
    this.proxy.lead(Number(new URL(this.server.endpoints[0]).port));
  }

  /** Resolves when the next carrier is refused. */
  get refusal(): Promise<void> {
    return this.#refused.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}

/** Waits until the session does this. */
async function until(session: Connection<string>, wanted: string): Promise<void> {
  for await (const { state } of (session as Session<string>).states()) {
    if (state === wanted) return;
  }
}

Deno.test("Session of several endpoints outlives what strangers say while its home is away", async () => {
  await using one = await Site.open();
  await using two = await Site.open();
  const sites = [one, two];
  const session = await connect(sites.map(({ endpoint }) => endpoint), {
    ...AT_ONCE,
    format: text(),
  });
  const home = sites.find(({ endpoint }) => endpoint === session.endpoint)!;
  const other = sites.find((site) => site !== home)!;
  for (const message of ["1", "2"]) session.send(message);
  await session.flush();
  home.proxy.shut();
  session.send("3");
  // The other one does not know the session, and says so each time.
  for (let i = 0; i < 3; i++) await other.refusal;
  assertEquals(session.status.state, "reconnecting");
  home.proxy.open();
  session.send("4");
  await session.flush();
  assertEquals((await session.close()).clean, true);
  assertEquals([home.heard, other.heard], [["1", "2", "3", "4"], []]);
});

Deno.test("Session of several endpoints is lost at once when its home has forgotten it", async () => {
  await using one = await Site.open();
  const session = await connect([one.endpoint, deadEndpoint()], { ...AT_ONCE, format: text() });
  session.send("heard");
  await session.flush();
  one.proxy.shut();
  session.send("unheard");
  // A server that closes ends sessions without a carrier, and its successor has none.
  await one.restart();
  one.proxy.open();
  const { error } = await session.closed;
  assertInstanceOf(error, SessionLostError);
  assertEquals(error.code, SessionCode.UNKNOWN);
  assertEquals(error.unacknowledged.map((bytes) => new TextDecoder().decode(bytes)), ["unheard"]);
});

Deno.test("Session is opened at another endpoint when one takes in no more", async () => {
  const full = await listen("tcp://127.0.0.1:0", { ...AT_ONCE, maxConnections: 1 }, stay);
  await using site = await Site.open();
  const only = await connect(full.endpoints[0], AT_ONCE);
  for (let i = 0; i < 10; i++) {
    const session = await connect([full.endpoints[0], site.endpoint], AT_ONCE);
    assertEquals(session.endpoint, site.endpoint);
    await session.close();
  }
  await only.close();
  await full.close();
});

Deno.test("reconnect() gives one session after another, and tells what the lost one has not delivered", async () => {
  await using one = await Site.open();
  await using two = await Site.open();
  const sites = [one, two];
  const endpoints = sites.map(({ endpoint }) => endpoint);
  const seen: string[] = [];
  const options = { ...AT_ONCE, format: text(), retry: () => 0 };
  for await (const session of reconnect(endpoints, options)) {
    seen.push(session.endpoint);
    if (seen.length === 2) break;
    const home = sites.find(({ endpoint }) => endpoint === session.endpoint)!;
    await session.send("heard");
    await session.flush();
    home.proxy.darken();
    session.send("unheard");
    for (const other of home.sessions) other.abort();
    home.proxy.cut();
    for await (const _ of session); // It ends without an error.
    const { error } = await session.closed;
    assertInstanceOf(error, SessionLostError);
    assertEquals(error.unacknowledged.length, 1);
  }
  assertEquals(new Set(seen), new Set(endpoints));
});

Deno.test("reconnect() moves a session once when its server drains: all arrives, both ways, once", async () => {
  const sites = await Promise.all([Site.open(), Site.open(), Site.open()]);
  const seen: Site[] = [];
  let next = 0;
  const options = { ...AT_ONCE, format: text(), retry: () => 0 };
  for await (const session of reconnect(sites.map(({ endpoint }) => endpoint), options)) {
    const site = sites.find(({ endpoint }) => endpoint === session.endpoint)!;
    seen.push(site);
    for (let i = 0; i < 100; i++) session.send(`${next++}`);
    await session.flush();
    if (seen.length === 7) break;
    const [atServer] = site.server.connections;
    for (let i = 0; i < 100; i++) atServer.send(`${i}`);
    site.server.drain("a restart");
    await until(session, "draining");
    // What is refused now may be said to the next one.
    await assertRejects(() => session.send("too late"), ConnectionClosedError);
    assertEquals(await Array.fromAsync(session), Array.from({ length: 100 }, (_, i) => `${i}`));
    const info = await session.closed;
    assertInstanceOf(info.error, ConnectionClosedError); // Of what was refused.
    assertEquals(info.undeliveredBytes, 0);
    await site.restart();
  }
  for (const [i, site] of seen.entries()) assert(site !== seen[i - 1]);
  const heard = sites.flatMap((site) => site.heard).map(Number).sort((one, other) => one - other);
  assertEquals(heard, Array.from({ length: next }, (_, i) => i));
  for (const site of sites) await site[Symbol.asyncDispose]();
});

Deno.test("Server.drain() also tells the sessions that are opened later", async () => {
  await using site = await Site.open();
  site.server.drain("a restart");
  const session = await connect(site.endpoint, { ...AT_ONCE, format: text() });
  await until(session, "draining");
  assertEquals(session.status.reason, "a restart");
  await session.close();
});

Deno.test("Server.close() says to WebSockets and sessions that the server goes", async () => {
  for (const endpoint of ["ws://127.0.0.1:0", "tcp://127.0.0.1:0?session=1"]) {
    const server = await listen(endpoint, stay);
    const connection = await connect(server.endpoints[0]);
    const closing = server.close();
    for await (const _ of connection);
    const { code, reason } = await connection.close();
    assertEquals([code, reason], [1001, "the server is closing"]);
    await closing;
  }
});
