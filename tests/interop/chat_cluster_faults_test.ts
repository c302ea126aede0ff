/** One chat of several servers while its broker or its servers are killed, frozen and cut off. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { connect, type Connection, listen } from "../../mod.ts";
import { RunningServer } from "../support/program.ts";
import { Broker, Brokers, type Guest, NATS, Site } from "./chat_cluster_world.ts";
import { Wanderer } from "./chat_cluster_wanderer.ts";
import { testWith } from "./engines/engine.ts";
import type { ClusterEvent } from "../../chat/cluster/cluster.ts";

const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

/** Beats come so often that a server that is gone is noticed soon. */
const QUICK = { beatInterval: 100 };

/** Carries a server's connection to the broker, until it is cut. */
class Cable implements AsyncDisposable {
  #isCut = false;
  readonly #ends = new Set<Connection>();
  #server: AsyncDisposable & { readonly endpoints: readonly string[] } | undefined;

  static async to(address: string): Promise<Cable> {
    const cable = new Cable();
    cable.#server = await listen("tcp://127.0.0.1:0?framing=none", async (near) => {
      if (cable.#isCut) return near.abort();
      await using far = await connect(`tcp://${address}?framing=none`);
      cable.#ends.add(near).add(far);
      const carry = async (from: Connection, to: Connection) => {
        for await (const chunk of from) await to.send(chunk);
      };
      await Promise.race([carry(near, far), carry(far, near)]).catch(() => {});
      cable.#ends.delete(near);
      cable.#ends.delete(far);
      near.abort();
    });
    return cable;
  }

  get address(): string {
    return new URL(this.#server!.endpoints[0]).host;
  }

  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.abort();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.#server?.[Symbol.asyncDispose]();
  }
}

/** What was said and has its place, as it must be at all who heard it: by id. */
function placed(guest: Guest) {
  return guest.said.filter(({ id }) => id > 0).toSorted((a, b) => a.id - b.id)
    .map(({ id, name, text }) => ({ id, name, text }));
}

function codes(guest: Guest, ...wanted: string[]): string[] {
  return guest.all.filter((line) => line.startsWith('{"type":"notice"'))
    .map((line) => JSON.parse(line).code).filter((code) => wanted.includes(code));
}

await test("A broker is killed and comes back: all is there once, in one order, and is told once", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  const a = await one.enter("Ada", { json: true });
  const b = await two.enter("Bob", { json: true });
  const alone = await one.enter("Alone", { json: true });
  await alone.ask("/join private");
  let said = 0;
  const timer = setInterval(() => {
    a.say(`/once a${said} a${said}`);
    b.say(`b${said++}`);
  }, 5);
  await a.until(/"b20"/);
  await broker.kill();
  await Promise.all([one.told("apart"), two.told("apart")]);
  // Talk goes on among the members of one server, and what would change the chat is refused.
  const c = await one.enter(undefined, { json: true });
  await c.ask("/nick Carol", "apart");
  assert(codes(c, "apart").length >= 1);
  await a.until(/"id":0,.*"apart"/);
  await broker.start();
  await Promise.all([one.told("together"), two.told("together")]);
  clearInterval(timer);
  a.say("/once z the end of a");
  b.say("the end of b");
  for (const guest of [a, b]) {
    await guest.until(/"the end of a"/);
    if (!guest.all.some((line) => line.includes('"the end of b"'))) {
      await guest.until(/"the end of b"/);
    }
  }
  assertEquals(placed(a), placed(b));
  const texts = placed(a).map(({ text }) => text);
  for (const name of ["a", "b"]) {
    const own = texts.filter((text) => new RegExp(`^${name}\\d+$`).test(text));
    assertEquals(own, Array.from({ length: said }, (_, n) => `${name}${n}`), "all, once, in order");
  }
  assertEquals(codes(a, "apart", "together"), ["apart", "together"]);
  assertEquals(codes(alone, "apart", "together"), [], "not of a room whose members are all here");
  const shown = a.said.flatMap(({ provisional, id }) =>
    provisional && id === 0 ? [provisional] : []
  );
  const later = a.said.flatMap(({ provisional, id }) => provisional && id > 0 ? [provisional] : []);
  assertGreater(shown.length, 0);
  assertEquals(later.toSorted(), shown.toSorted(), "each got its place, once");
  assertEquals(one.chat.names.toSorted(), two.chat.names.toSorted());
});

await test("A server that is cut off comes back with its members, and the older name stays", async () => {
  await using broker = await Broker.start();
  await using cable = await Cable.to(broker.address);
  await using one = await Site.open(broker.address, QUICK);
  await using two = await Site.open(cable.address, QUICK);
  const a = await one.enter("Ada", { json: true });
  const b = await two.enter("Bob", { json: true });
  await b.ask("/away for a while", "/ignore Nobody", "before");
  await a.until(/"before"/);
  cable.cut();
  await one.told("server-left");
  await two.told("apart");
  await a.until(/"type":"leave".*"Bob"/);
  // Its name is free there now, and somebody takes it.
  await a.ask("/nick Bob", "taken");
  b.say("cut off");
  await b.until(/"id":0,.*"cut off"/);
  cable.mend();
  await two.told("came-again");
  await a.until(/"cut off"/);
  await b.until(/"placed".*"cut off"/);
  await two.told("together");
  assertEquals(codes(a, "name-lost"), ["name-lost"]);
  assertEquals(codes(b, "name-lost", "apart", "together"), ["apart", "together"]);
  assertEquals(one.chat.names.toSorted(), two.chat.names.toSorted());
  const [, who] = await Promise.all([a.ask("/nick Ada"), b.ask("/who")]);
  assert(who.at(-1)!.includes('{"name":"Bob","away":"for a while"}'), who.at(-1));
  assertEquals(placed(a), placed(b));
  assertEquals(placed(a).map(({ name, text }) => `${name}: ${text}`), [
    "Bob: before",
    "Bob: taken",
    "Bob: cut off",
  ]);
  await b.ask("/nick Again");
  await a.until(/"from":"Bob","to":"Again"/);
});

await test("A frozen broker is noticed, and nothing that was said is lost or doubled", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  const a = await one.enter("Ada", { json: true });
  const b = await two.enter("Bob", { json: true });
  const start = performance.now();
  broker.signal("SIGSTOP");
  for (let n = 0; n < 50; n++) a.say(`${n}`);
  await Promise.all([one.told("apart"), two.told("apart")]);
  const noticed = performance.now() - start;
  broker.signal("SIGCONT");
  await Promise.all([one.told("together"), two.told("together")]);
  await a.ask("end");
  await b.until(/"end"/);
  assertEquals(placed(a), placed(b));
  assertEquals(placed(b).map(({ text }) => text), [
    ...Array.from({ length: 50 }, (_, n) => `${n}`),
    "end",
  ]);
  // 8 s, and what a slow machine needs.
  assertLess(noticed, 60_000);
});

/** Starts a server of the cluster in a process of its own. */
function startServer(broker: string): Promise<RunningServer> {
  const cluster = ["--cluster", broker, "--limit", "chat.burst=1000000"];
  return RunningServer.start(["tcp://127.0.0.1:0", ...cluster]);
}

/** All of them have said so much, and have heard the same: all of each, once and in order. */
async function heardAll(people: readonly Wanderer[], count: number): Promise<void> {
  for (const person of people) await person.settled();
  for (const person of people) {
    await person.until(() => person.heard.length >= people.length * count);
  }
  const [first] = people;
  for (const person of people) {
    assertEquals(person.heard.map(({ id }) => id), first.heard.map(({ id }) => id));
    const own = first.heard.filter(({ name }) => name === person.name).map(({ text }) => text);
    assertEquals(own, Array.from({ length: count }, (_, n) => `${person.name}-${n}`));
  }
}

await test("A server is killed: its clients go on at others, and lose and repeat nothing", async () => {
  await using broker = await Broker.start();
  await using one = await startServer(broker.address);
  await using two = await startServer(broker.address);
  await using three = await startServer(broker.address);
  await using site = await Site.open(broker.address);
  const endpoints = [one, two, three].map((server) => server.endpoints[0]);
  const people = Array.from({ length: 6 }, (_, n) => new Wanderer(`P${n}`, endpoints, n));
  for (const person of people) await person.settled();
  for (let n = 0; n < 150; n++) {
    for (const person of people) person.say(`${person.name}-${n}`);
  }
  await people[0].until(() => people[0].heard.length > 100);
  one.kill("SIGKILL");
  const killed = performance.now();
  await heardAll(people, 150);
  assertEquals(people.map(({ arrivals }) => arrivals), [2, 1, 1, 2, 1, 1]);
  await site.told("server-left");
  // 7 s, and 23 for a machine that is busy: tests/chat/cluster_silence_test.ts counts without a clock.
  const noticed = performance.now() - killed;
  assertLess(
    noticed,
    30_000,
    `noticed after ${noticed} ms; 10 s are promised to a machine with time`,
  );
  await Promise.all(people.map((person) => person.leave()));
});

await test("A frozen server is taken out, and comes in again by itself with its members", async () => {
  await using broker = await Broker.start();
  await using server = await startServer(broker.address);
  await using site = await Site.open(broker.address, QUICK);
  const person = new Wanderer("Ada", server.endpoints, 0);
  await person.settled();
  const here = await site.enter("Bob", { json: true });
  server.kill("SIGSTOP");
  person.say("Ada-0");
  await here.until(/"type":"leave".*"Ada"/);
  await here.ask("/nick Ada");
  server.kill("SIGCONT");
  await here.until(/"code":"name-lost"/);
  await here.until(/"name":"Ada","text":"Ada-0"/);
  await heardAll([person], 1);
  assertEquals([person.arrivals, site.chat.names.filter((name) => name === "Ada").length], [1, 1]);
  await person.leave();
});

await test("Servers are started again one after the other: nothing is lost, each client moves once", async () => {
  await using broker = await Broker.start();
  await using one = await startServer(broker.address);
  await using two = await startServer(broker.address);
  const endpoints = [one.endpoints[0], two.endpoints[0]];
  const people = Array.from({ length: 4 }, (_, n) => new Wanderer(`P${n}`, endpoints, n));
  for (const person of people) await person.settled();
  for (let n = 0; n < 100; n++) {
    for (const person of people) person.say(`${person.name}-${n}`);
  }
  await people[0].until(() => people[0].heard.length > 50);
  assertEquals(await one.stop("SIGTERM"), 0);
  await heardAll(people, 100);
  assertEquals(people.map(({ arrivals }) => arrivals), [2, 1, 2, 1]);
  await Promise.all(people.map((person) => person.leave()));
});

await test("One of three brokers is killed, and nobody is told", async () => {
  await using brokers = await Brokers.start();
  await using one = await Site.open(brokers.addresses);
  await using two = await Site.open(brokers.addresses.toReversed());
  const a = await one.enter("Ada", { json: true });
  const b = await two.enter("Bob", { json: true });
  for (let n = 0; n < 100; n++) a.say(`a${n}`);
  await brokers.kill(one.cluster.stats.broker);
  for (let n = 100; n < 200; n++) a.say(`a${n}`);
  await a.ask("end");
  await b.until(/"end"/);
  assertEquals(placed(a), placed(b));
  assertEquals(placed(b).map(({ text }) => text), [
    ...Array.from({ length: 200 }, (_, n) => `a${n}`),
    "end",
  ]);
  assertEquals([codes(a, "apart"), codes(b, "apart")], [[], []]);
});

await test("Servers that start at the same time, at three brokers that have just come, are one chat", async () => {
  await using brokers = await Brokers.start();
  const opening = [0, 1, 2].map(() => Site.open(brokers.addresses));
  await using sites = new AsyncDisposableStack();
  for (const site of await Promise.all(opening)) sites.use(site);
  const [one, , three] = await Promise.all(opening);
  const a = await one.enter("Ada", { json: true });
  const b = await three.enter("Bob", { json: true });
  await a.ask("hello");
  await b.until(/"hello"/);
});

await test("A broker that has lost its files is told of, and what is said there later is not mixed up with it", async () => {
  await using broker = await Broker.start();
  await using one = await Site.open(broker.address);
  const a = await one.enter("Ada", { json: true });
  await a.ask("before");
  await broker.kill();
  await broker.lose();
  await broker.start();
  const lost = "the broker has lost entries that were read before: start this server again";
  const isTold = (event: ClusterEvent) => event.event === "apart" && event.reason === lost;
  for (let count = 1; !one.events.some(isTold); count++) await one.told("apart", count);
  await using two = await Site.open(broker.address);
  const b = await two.enter("Bob", { json: true });
  for (let n = 0; n < 100; n++) await b.ask(`b${n}`);
  a.say("alone");
  await a.until(/"alone"/);
  assert(!a.all.some((line) => line.includes('"b0"')), a.all.join("\n"));
  assertEquals(one.events.filter(({ event }) => event === "together"), []);
});

await test("A broker whose disk is full is told of, and nothing that was said is lost when there is room", async () => {
  await using broker = await Broker.start();
  await broker.kill();
  await broker.start({ maxFileBytes: 64 * 1024 });
  await using one = await Site.open(broker.address);
  await using two = await Site.open(broker.address);
  const a = await one.enter("Ada", { json: true });
  const b = await two.enter("Bob", { json: true });
  for (let n = 0; n < 100; n++) a.say(`${n} ${"x".repeat(2_000)}`);
  await one.told("apart");
  const apart = one.events.find(({ event }) => event === "apart");
  assert(apart?.event === "apart" && apart.reason !== undefined);
  await broker.kill();
  await broker.start();
  await one.told("together");
  await a.ask("end");
  await b.until(/"end"/);
  assertEquals(placed(a), placed(b));
  assertEquals(placed(b).map(({ text }) => text.split(" ")[0]), [
    ...Array.from({ length: 100 }, (_, n) => `${n}`),
    "end",
  ]);
});
