/** Who is there, over a real NATS: processes that die and freeze, a broker that is away, strangers. */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { connect as connectToNats } from "@nats-io/transport-node";
import { Connection } from "../../connection.ts";
import { Hub, type Presence } from "../../hub.ts";
import { nats, type NatsBackplane } from "../../nats.ts";
import { memoryPair } from "../../testing.ts";
import { engine, freePort, Program, RunningEngine, testWith } from "./engines/engine.ts";

const NATS = engine("NATS", { commands: ["nats-server"] });
const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

const PEER = new URL("peers/presence_over_nats.ts", import.meta.url).pathname;
/** Short times, so that the tests are. Who has the cores for four seconds takes nobody's lease. */
const PRESENCE = { heartbeatInterval: 150, leaseTimeout: 4_000 };

function startBroker(port: number): Promise<RunningEngine> {
  return RunningEngine.start(["nats-server", "-a", "127.0.0.1", "-p", `${port}`], {
    ready: "Server is ready",
    at: [`tcp://127.0.0.1:${port}`],
    endBy: "SIGKILL",
  });
}

/** Another process, with members of the same room. */
function startPeer(port: number, name: string, count: number): Program {
  const options = ["--no-check", "--quiet", "--allow-net"];
  return new Program([Deno.execPath(), "run", ...options, PEER, `${port}`, name, `${count}`]);
}

/** A hub of this process on a connection to the broker of its own. */
class Site implements AsyncDisposable {
  readonly #ends: Connection[] = [];

  private constructor(readonly backplane: NatsBackplane, readonly hub: Hub) {}

  static async open(port: number, cluster?: string): Promise<Site> {
    const backplane = await nats({ servers: `127.0.0.1:${port}`, cluster });
    return new Site(
      backplane,
      new Hub({ backplane, presence: PRESENCE, onError: () => {} }),
    );
  }

  get room(): Presence<{ name: string }> {
    return this.hub.presence("room");
  }

  join(name: string): Connection {
    const [near, far] = memoryPair().map((transport) => new Connection(transport));
    this.#ends.push(near, far);
    this.hub.join("room", near, { data: { name } });
    return near;
  }

  /** Follows the room until it has this size, and returns what was told meanwhile. */
  async until(size: number): Promise<string[]> {
    const told: string[] = [];
    const { room } = this;
    const there = new Set<string>();
    for await (const { kind, member } of room.changes()) {
      told.push(`${kind} ${member.data.name}`);
      if (kind === "leave") there.delete(member.id);
      else there.add(member.id);
      if (there.size === size && room.size === size) return told;
    }
    return told;
  }

  get names(): string[] {
    return [...this.room].map(({ data }) => data.name).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hub.close();
    for (const connection of this.#ends) connection.abort();
    await Promise.all(this.#ends.map(({ closed }) => closed));
    await this.backplane.close();
  }
}

await test("Presence over NATS: a process that is killed loses its members, and one that closes at once", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using here = await Site.open(port);
  here.join("here");
  await using killed = startPeer(port, "killed", 2);
  await using closes = startPeer(port, "closes", 1);
  await here.until(4);
  assertEquals(here.names, ["closes 0", "here", "killed 0", "killed 1"]);
  await Promise.all([killed.until("sees "), closes.until("sees ")]);
  const start = performance.now();
  killed.signal("SIGKILL");
  await here.until(2);
  assertLess(performance.now() - start, 60_000);
  assertEquals(here.names, ["closes 0", "here"]);
  assertEquals(here.hub.presenceStats.expired, 1);
  await closes.endInput();
  await here.until(1);
  assertEquals(here.names, ["here"]);
  assertEquals(here.hub.presenceStats.expired, 1);
});

await test("Presence over NATS: a process that was frozen is there again, once, and sees all", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using here = await Site.open(port);
  here.join("here");
  await using frozen = startPeer(port, "frozen", 2);
  await here.until(3);
  await frozen.until("sees ");
  const ids = [...here.room].map(({ id }) => id).toSorted();
  frozen.signal("SIGSTOP");
  await here.until(1);
  here.join("meanwhile");
  frozen.signal("SIGCONT");
  await here.until(4);
  assertEquals(here.names, ["frozen 0", "frozen 1", "here", "meanwhile"]);
  const again = new Set([...here.room].map(({ id }) => id));
  assertEquals(ids.filter((id) => !again.has(id)), []);
  // It is asked until it has repaired what it missed.
  for (let sees = ""; !sees.includes("now sees 4");) {
    await frozen.type("?");
    sees = await frozen.until("\n");
  }
});

await test("Presence over NATS: all are there again when the broker is back, with what changed meanwhile", async () => {
  const port = freePort();
  const broker = await startBroker(port);
  await using one = await Site.open(port);
  await using two = await Site.open(port);
  one.join("one");
  const leaves = two.join("leaves");
  await Promise.all([one.until(2), two.until(2)]);
  await broker[Symbol.asyncDispose]();
  await Promise.all([one.until(1), two.until(1)]);
  assertEquals([one.names, two.names], [["one"], ["leaves"]]);
  two.join("two");
  two.hub.leave("room", leaves);
  await using _again = await startBroker(port);
  await Promise.all([one.until(2), two.until(2)]);
  assertEquals([one.names, two.names], [["one", "two"], ["one", "two"]]);
});

await test("Presence over NATS: 10 000 members of 3 hubs, and a hub that comes late", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port);
  await using two = await Site.open(port);
  await using three = await Site.open(port);
  const sites = [one, two, three];
  const start = performance.now();
  for (let i = 0; i < 10_000; i++) sites[i % 3].join(`member ${i}`);
  await Promise.all(sites.map((site) => site.until(10_000)));
  assertLess(performance.now() - start, 60_000);
  await using late = await Site.open(port);
  const asked = performance.now();
  await late.room.ready;
  assertEquals(late.room.size, 10_000);
  assertLess(performance.now() - asked, 60_000);
  assertEquals(new Set(late.names).size, 10_000);
  const told = late.until(9_999);
  one.hub.leave("room", one.hub.members("room").values().next().value!);
  assertEquals((await told).at(-1), "leave member 0");
});

await test("Presence over NATS: strangers change nothing, and other clusters are not seen", async () => {
  const port = freePort();
  await using _broker = await startBroker(port);
  await using one = await Site.open(port, "blue");
  await using two = await Site.open(port, "blue");
  await using other = await Site.open(port, "red");
  other.join("red");
  one.join("blue");
  const stranger = await connectToNats({ servers: `127.0.0.1:${port}` });
  const seen = Promise.withResolvers<[subject: string, envelope: Uint8Array]>();
  stranger.subscribe("lengthwise.blue.channel.>", {
    callback: (_error, { subject, data }) => seen.resolve([subject, data]),
  });
  await stranger.flush();
  await two.until(1);
  const [subject, envelope] = await seen.promise;
  stranger.publish(subject, "hello");
  // In an envelope of ours, by another publisher, nothing that presence knows.
  const forged = envelope.slice();
  forged[2] ^= 1;
  forged[forged.length - 1] ^= 1;
  stranger.publish(subject, forged);
  await stranger.flush();
  await stranger.close();
  two.join("two");
  await one.until(2);
  assertEquals(one.names, ["blue", "two"]);
  assertEquals(two.names, ["blue", "two"]);
  assertGreater(one.backplane.stats.foreign, 0);
  assertGreater(one.hub.presenceStats.foreign, 0);
  assertEquals(other.names, ["red"]);
});
