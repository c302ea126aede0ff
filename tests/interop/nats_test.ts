/** Hubs of several processes over a real NATS, while it is killed, frozen and disturbed. */

import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { connect as connectToNats } from "@nats-io/transport-node";
import { Connection, isText } from "../../connection.ts";
import { BackplaneError, ConnectError, MessageTooLargeError } from "../../errors.ts";
import { Hub } from "../../hub.ts";
import { nats, type NatsBackplane, type NatsOptions } from "../../nats.ts";
import { memoryPair } from "../../testing.ts";
import { issue } from "../support/certificates.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engines/engine.ts";

const NATS = engine("NATS", { commands: ["nats-server"] });
const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

/** A broker on a port that stays the same when it is started again. */
function startBroker(port: number, ...args: string[]): Promise<RunningEngine> {
  return RunningEngine.start(["nats-server", "-a", "127.0.0.1", "-p", `${port}`, ...args], {
    ready: "Server is ready",
    at: [`tcp://127.0.0.1:${port}`],
    endBy: "SIGKILL",
  });
}

/** A hub on a backplane of its own, as in a process of its own. */
class Site implements AsyncDisposable {
  readonly errors: unknown[] = [];
  readonly hub: Hub;
  readonly #ends: Connection[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(readonly backplane: NatsBackplane) {
    this.hub = new Hub({
      backplane,
      onError: (error) => {
        this.errors.push(error);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      },
    });
  }

  static async open(port: number, options: Partial<NatsOptions> = {}): Promise<Site> {
    return new Site(await nats({ servers: `127.0.0.1:${port}`, ...options }));
  }

  /** Somebody joins a room here. What they get is read from the connection that is returned. */
  join(room: string): Connection {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    this.hub.join(room, near);
    this.#ends.push(near, far);
    return far;
  }

  /** Waits until an error is told that fits. */
  async told(fits: (error: unknown) => boolean): Promise<void> {
    while (!this.errors.some(fits)) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hub.close();
    await Promise.all(this.#ends.map((connection) => connection.close()));
    await this.backplane.close();
  }
}

/** Broadcasts until another site hears it: from then on its subscription is at the broker. */
async function meet(from: Site, room: string, member: Connection): Promise<void> {
  const timer = setInterval(() => from.hub.broadcast(room, "hello"), 20);
  await member.receive();
  clearInterval(timer);
  from.hub.broadcast(room, "begin");
  while (textOf(await member.receive()) !== "begin");
}

function textOf(message: Uint8Array | undefined): string | undefined {
  return message && new TextDecoder().decode(message);
}

const saysAway = (error: unknown) =>
  error instanceof BackplaneError && error.message.includes("until it is back");

await test("Hubs over NATS act as one: in order, once, text as text, and none hears itself", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port);
  await using two = await Site.open(port);
  // A second hub of the same process.
  using beside = new Hub({ backplane: one.backplane });
  const room = `any name: ${"*.> \t\n\u{1f600}\ud800é".repeat(20)}`.slice(0, 256);
  const [here, there] = [one.join(room), two.join(room)];
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  beside.join(room, near);
  await meet(one, room, there);
  while (textOf(await here.receive()) !== "begin");
  while (textOf(await far.receive()) !== "begin");

  for (let i = 0; i < 2_000; i++) one.hub.broadcast(room, `${i}`);
  one.hub.broadcast(room, Uint8Array.of(0, 1));
  for (const member of [here, there, far]) {
    for (let i = 0; i < 2_000; i++) {
      assertEquals(textOf(await member.receive()), `${i}`);
    }
    assertEquals(await member.receive(), Uint8Array.of(0, 1));
  }
  two.hub.broadcast(room, "back");
  for (const member of [here, there, far]) assertEquals(textOf(await member.receive()), "back");
  const marks: boolean[] = [];
  const both = Promise.withResolvers<void>();
  const link = two.backplane.attach({
    deliver(_room, message) {
      if (marks.push(isText(message)) === 2) both.resolve();
    },
    failed: (error) => both.reject(error),
  });
  link.subscribe(room);
  one.hub.broadcast(room, "a text");
  one.hub.broadcast(room, Uint8Array.of(1));
  await both.promise;
  assertEquals(marks, [true, false]);
  link.close();
  const { published, gaps, foreign, dropped } = one.backplane.stats;
  assertGreater(published, 2_000);
  assertEquals([gaps, foreign, dropped, one.errors, two.errors], [0, 0, 0, [], []]);
  await Promise.all([near.close(), far.close()]);
});

await test("Hubs over NATS lose nothing that they published when the broker is killed, and tell gaps", async () => {
  const port = freePort();
  const broker = await startBroker(port);
  await using one = await Site.open(port);
  await using two = await Site.open(port);
  const there = two.join("room");
  await meet(one, "room", there);
  const heard: number[] = [];
  const hearing = (async () => {
    for await (const message of there) {
      heard.push(Number(textOf(message)));
      if (heard.at(-1) === Infinity) return;
    }
  })();
  let i = 0;
  const say = (until: number) => {
    while (i < until) one.hub.broadcast("room", `${i++}`);
  };
  say(500);
  await broker[Symbol.asyncDispose]();
  say(1_000);
  await Promise.all([one.told(saysAway), two.told(saysAway)]);
  say(1_500);
  assertGreater(one.backplane.stats.waitingBytes, 0);
  await using _again = await startBroker(port);
  const isBack = () => [one, two].every(({ backplane }) => backplane.stats.reconnects > 0);
  const timer = setInterval(() => {
    say(i + 1);
    if (isBack()) one.hub.broadcast("room", "Infinity");
  }, 20);
  await hearing;
  clearInterval(timer);
  const numbers = heard.filter((number) => number < Infinity);
  assertEquals(numbers, [...new Set(numbers)].sort((a, b) => a - b), "in order, none twice");
  // Nothing is missing in the middle, unless that was told.
  const missing = numbers.at(-1)! + 1 - numbers.length;
  assert(missing === 0 || two.backplane.stats.gaps > 0, `${missing} missing, and no gap`);
  assertEquals(one.backplane.stats.dropped, 0);
});

await test("nats() keeps its connection for longer than connecting may take", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port, { connectTimeout: 2_000 });
  await using two = await Site.open(port, { connectTimeout: 2_000 });
  const there = two.join("room");
  await meet(one, "room", there);
  const told = Promise.race([one.told(() => true), two.told(() => true)]);
  for (const start = performance.now(); performance.now() - start < 2_500;) {
    one.hub.broadcast("room", "still there");
    await Promise.race([there.receive(), told]);
  }
  assertEquals([one.errors, two.errors], [[], []]);
  assertEquals([one.backplane.stats.reconnects, two.backplane.stats.reconnects], [0, 0]);
});

await test("nats() gives up a broker that is frozen, and goes on with it when it wakes", async () => {
  const port = freePort();
  await using broker = await startBroker(port);
  await using one = await Site.open(port, { pingInterval: 200 });
  await using two = await Site.open(port, { pingInterval: 200 });
  const there = two.join("room");
  await meet(one, "room", there);
  broker.signal("SIGSTOP");
  const start = performance.now();
  await Promise.all([one.told(saysAway), two.told(saysAway)]);
  assertLess(performance.now() - start, 60_000);
  one.hub.broadcast("room", "said while it was frozen");
  broker.signal("SIGCONT");
  await meet(one, "room", there);
  assertEquals(one.backplane.stats.isConnected, true);
});

await test("nats() keeps no more than its limit for a broker that is away, and counts the rest", async () => {
  const port = freePort();
  const broker = await startBroker(port);
  await using one = await Site.open(port, { maxWaitingBytes: 1_000 });
  await broker[Symbol.asyncDispose]();
  await one.told(saysAway);
  for (let i = 0; i < 50; i++) one.hub.broadcast("room", "x".repeat(100));
  const { dropped, waitingBytes } = one.backplane.stats;
  assertGreater(dropped, 40);
  assertLess(waitingBytes, 1_001);
  const told = one.errors.filter((error) => String(error).includes("limit is 1000 bytes"));
  assertEquals(told.length, 1);
  await using _again = await startBroker(port);
  await one.told((error) => String(error).includes(`Cannot publish ${dropped} messages`));
});

await test("nats() refuses what the broker does not take, and delivers it here", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port);
  const here = one.join("room");
  const large = new Uint8Array(1024 * 1024);
  one.hub.broadcast("room", large);
  assertEquals((await here.receive())!.length, large.length);
  const [error] = one.errors;
  assert(error instanceof MessageTooLargeError);
  const fits = error.limit;
  await using two = await Site.open(port);
  const there = two.join("room");
  await meet(one, "room", there);
  one.hub.broadcast("room", new Uint8Array(fits - 8));
  assertEquals((await there.receive())!.length, fits - 8);
  assertEquals(one.errors.length, 1);
});

await test("Clusters on one broker never mix, and foreign messages are dropped and counted", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port, { cluster: "blue" });
  await using two = await Site.open(port, { cluster: "blue" });
  await using other = await Site.open(port, { cluster: "red" });
  const [there, elsewhere] = [two.join("room"), other.join("room")];
  await meet(one, "room", there);
  const stranger = await connectToNats({ servers: `127.0.0.1:${port}` });
  const seen = Promise.withResolvers<string>();
  stranger.subscribe("lengthwise.blue.>", {
    callback: (_error, { subject }) => seen.resolve(subject),
  });
  await stranger.flush();
  one.hub.broadcast("room", "first");
  const subject = await seen.promise;
  for (const wrong of ["", "hello", "\x01\x00garbage that is long enough"]) {
    stranger.publish(subject, wrong);
  }
  await stranger.flush();
  await stranger.close();
  one.hub.broadcast("room", "second");
  assertEquals(textOf(await there.receive()), "first");
  assertEquals(textOf(await there.receive()), "second");
  assertEquals(two.backplane.stats.foreign, 3);
  other.hub.broadcast("room", "red alone");
  assertEquals(textOf(await elsewhere.receive()), "red alone");
  assertEquals(other.backplane.stats.received, 0);
});

await test("Ten thousand rooms are subscribed to in seconds, with few subscriptions, also again", async () => {
  const port = freePort();
  const broker = await startBroker(port);
  await using one = await Site.open(port);
  await using two = await Site.open(port);
  const start = performance.now();
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const hub = new Hub({ backplane: two.backplane, maxRoomsPerMember: 10_000, onError: () => {} });
  for (let i = 0; i < 10_000; i++) hub.join(`room ${i}`, near);
  assertEquals(two.backplane.stats.subscriptions, 64);
  await meet(one, "room 77", far);
  assertLess(performance.now() - start, 60_000);
  await broker[Symbol.asyncDispose]();
  await two.told(saysAway);
  await using _again = await startBroker(port);
  const again = performance.now();
  await meet(one, "room 9999", far);
  assertLess(performance.now() - again, 60_000);
  hub.close();
  await Promise.all([near.close(), far.close()]);
});

await test("nats() speaks TLS with a broker that wants it, and trusts only whom it should", async () => {
  const port = freePort();
  await using folder = await temporaryFolder();
  const { cert, key } = await issue("broker", { names: ["127.0.0.1"] });
  await Deno.writeTextFile(`${folder.path}/cert.pem`, cert);
  await Deno.writeTextFile(`${folder.path}/key.pem`, key);
  const pair = ["--tlscert", `${folder.path}/cert.pem`, "--tlskey", `${folder.path}/key.pem`];
  await using _broker = await startBroker(port, "--tls", ...pair);
  await assertRejects(() => nats({ servers: `127.0.0.1:${port}` }), ConnectError, "certificate");
  await using one = await Site.open(port, { tls: { ca: cert } });
  await using two = await Site.open(port, { tls: { ca: cert } });
  const there = two.join("room");
  await meet(one, "room", there);
  const plain = freePort();
  await using _plain = await startBroker(plain);
  await assertRejects(
    () => nats({ servers: `127.0.0.1:${plain}`, tls: { ca: cert } }),
    ConnectError,
    "it does not speak it",
  );
});

await test("nats() says clearly why it cannot connect", async () => {
  const port = freePort();
  const nobody = await assertRejects(
    () => nats({ servers: `127.0.0.1:${port}` }),
    ConnectError,
    `Cannot connect to NATS at 127.0.0.1:${port}: `,
  );
  assertEquals(nobody.message.includes("\n"), false);
  await using _broker = await startBroker(port, "--auth", "secret");
  await assertRejects(
    () => nats({ servers: `127.0.0.1:${port}`, token: "wrong" }),
    ConnectError,
    "authorization Violation, this is not the token",
  );
  await assertRejects(
    () => nats({ servers: `127.0.0.1:${port}` }),
    ConnectError,
    "it wants a token, or a user and a password",
  );
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assertRejects(
    () => nats({ servers: `127.0.0.1:${silent.addr.port}`, connectTimeout: 100 }),
    ConnectError,
    "nothing came that NATS says first, within 100 ms",
  );
  await using site = await Site.open(port, { token: "secret" });
  assertEquals(site.backplane.stats.isConnected, true);
});
