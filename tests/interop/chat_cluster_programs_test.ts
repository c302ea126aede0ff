/** `server.ts --cluster`: what it tells of itself, with clocks that are wrong, and in a rolling restart. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { RunningServer } from "../support/program.ts";
import { Town } from "./chat_cluster_town.ts";
import { Wanderer } from "./chat_cluster_wanderer.ts";
import { Broker, NATS, Site } from "./chat_cluster_world.ts";
import { testWith } from "./engines/engine.ts";

const test = (name: string, body: () => Promise<void>) => testWith(NATS, name, body);

const MINUTE = 60_000;

// deno-lint-ignore no-explicit-any
type Told = Record<string, any>;

/** The next event of this kind that a server with `--json` tells. */
async function told(server: RunningServer, event: string): Promise<Told> {
  for (;;) {
    const told = JSON.parse(await server.nextLine());
    if (told.event === event) return told;
  }
}

await test("server.ts --cluster --json tells what happens to the cluster, with its counts", async () => {
  await using broker = await Broker.start();
  const options = ["tcp://127.0.0.1:0", "--cluster", broker.address, "--log-level", "debug"];
  await using server = await RunningServer.start([...options, "--json"]);
  // Its beats come less often than those of the server, and tell soon that it is frozen.
  const site = await Site.open(broker.address, { beatInterval: 300 });
  const came = await told(server, "cluster-server-came");
  assertEquals([came.level, came.servers, came.isTogether], ["info", 2, true]);
  assert([site.cluster.server, came.server].includes(came.server));
  const person = await site.enter("Ada");
  await person.ask("hello");
  let counts = await told(server, "cluster");
  while (counts.members === 0) counts = await told(server, "cluster"); // Told before she came.
  assertEquals([counts.level, counts.servers, counts.members], ["debug", 2, 1]);
  assertEquals([counts.broker, counts.foreign, counts.gaps], [broker.address, 0, 0]);
  assertGreater(counts.roundTripTime, 0);

  await broker.kill();
  const apart = await told(server, "cluster-apart");
  assertEquals([apart.level, apart.isTogether], ["warn", false]);
  assertGreater(apart.reason.length, 0);
  await broker.start();
  const together = await told(server, "cluster-together");
  assertEquals([together.level, together.isTogether, together.reconnects], ["info", true, 1]);

  server.kill("SIGSTOP");
  await site.told("server-left");
  server.kill("SIGCONT");
  const again = await told(server, "cluster-came-again");
  assertEquals([again.level, again.members], ["info", 0]);
  const id = site.cluster.server;
  await site[Symbol.asyncDispose]();
  const left = await told(server, "cluster-server-left");
  assertEquals([left.server, left.servers], [id, 1]);
  assertEquals(await server.stop("SIGTERM"), 0);
});

await test("/stats tells operators of the cluster, and that the others are away", async () => {
  await using broker = await Broker.start();
  const chat = { operatorToken: "open sesame" };
  await using one = await Site.open(broker.address, { chat });
  await using two = await Site.open(broker.address, { chat });
  const root = await one.enter("Root", { json: true });
  const other = await two.enter("Bob");
  await root.ask("/operator open sesame");
  const stats = async () => {
    const line = (await root.ask("/stats")).find((line) => line.includes('"code":"stats"'))!;
    return JSON.parse(line).text as string;
  };
  const cluster = ` servers with 2 members; broker ${broker.address}, `;
  assert((await stats()).includes(`2${cluster}`), await stats());
  assert(/, \d+\.\d ms, lag \d+ ms, 0 gaps, 0 reconnects\./.test(await stats()), await stats());
  assertEquals((await other.ask("/stats")).some((line) => line.includes("broker")), false);
  await broker.kill();
  await one.told("apart");
  other.say("nobody hears this yet");
  await broker.start();
  await one.told("together");
  assert((await stats()).endsWith(" 0 gaps, 1 reconnects."), await stats());
});

await test("Servers whose clocks differ by minutes have one order, one time, and notice who is gone", async () => {
  await using broker = await Broker.start();
  const begin = Date.now();
  const start = (wrongBy: number) =>
    RunningServer.start([
      `${wrongBy}`,
      ...["tcp://127.0.0.1:0", "--cluster", broker.address, "--limit", "chat.burst=1000000"],
    ], { script: "tests/interop/peers/server_with_clock.ts" });
  await using early = await start(-7 * MINUTE);
  await using late = await start(5 * MINUTE);
  await using right = await start(0);
  const servers = [early, late, right];
  const endpoints = servers.map((server) => server.endpoints[0]);
  const people = servers.map((_, n) => new Wanderer(`P${n}`, endpoints, n));
  for (const person of people) await person.settled();
  const talk = async (from: number, to: number) => {
    for (let n = from; n < to; n++) for (const person of people) person.say(`${person.name}-${n}`);
    for (const person of people) {
      await person.until(() => person.heard.length === people.length * to);
    }
  };
  await talk(0, 50);
  early.kill("SIGKILL");
  await talk(50, 100);
  await people[1].until(() => people[1].events.some(({ type }) => type === "leave"));
  const [first] = people;
  for (const person of people) {
    const told = ({ heard }: Wanderer) =>
      heard.map(({ id, name, text, time }) => ({ id, name, text, time }));
    assertEquals(told(person), told(first));
  }
  const times = first.heard.map(({ time }) => time);
  assertEquals(times, times.toSorted((a, b) => a - b));
  assertLess(begin - 1_000, times[0]);
  assertLess(times.at(-1)!, Date.now() + 1_000);
  assertEquals(people.map(({ arrivals }) => arrivals), [2, 1, 1]);
  await Promise.all(people.map((person) => person.leave()));
});

await test("Three servers are started again one after the other: nothing is lost, each client moves once for each", async () => {
  await using town = await Town.open({ clients: 30, perRoom: 10 });
  town.talk(200, 1e6);
  for (const server of [0, 1, 2]) {
    const before = town.people.map(({ arrivals }) => arrivals);
    const its = new Set(town.at(server));
    await town.stop(server);
    await town.start(server);
    for (const [n, person] of town.people.entries()) {
      if (its.has(person)) await person.until(() => person.arrivals > before[n]);
    }
    const moves = town.people.map((person, n) => person.arrivals - before[n]);
    assertEquals(moves, town.people.map((person) => its.has(person) ? 1 : 0));
  }
  town.silence();
  assertGreater(town.said, 0);
  await town.check();
});
