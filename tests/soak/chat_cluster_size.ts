/**
 * A chat of two servers with many rooms and members: how long a server that comes later takes to start,
 * how long all take after the broker was lost, and how many subscriptions they have at the broker.
 *
 * ```
 * deno run -A tests/soak/chat_cluster_size.ts [--rooms N] [--members N]
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { assertEquals, assertLess } from "@std/assert";
import { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { memoryPair } from "../../testing.ts";
import { freePort } from "../support/free_port.ts";
import { Broker, Site } from "../interop/chat_cluster_world.ts";

/** So many come at a time: all who are in the lobby are told of each. */
const WAVE = 200;
/** How long each may take, in seconds. */
const MOST = 5;

const options = parseArgs(Deno.args, {
  string: ["rooms", "members"],
  default: { rooms: "10000", members: "100000" },
});
const rooms = Number(options.rooms);
const members = Number(options.members);
const secondsSince = (start: number) => (performance.now() - start) / 1_000;

/** Somebody comes to a room, and reads without keeping it. Resolves when it is there. */
function enter(site: Site, room: string): Promise<void> {
  const [near, far] = memoryPair().map((transport) =>
    new Connection<string>(transport, { format: text() })
  );
  site.chat.serve(near).catch(() => {});
  far.send(`/join ${room}`);
  const { promise, resolve } = Promise.withResolvers<void>();
  (async () => {
    for await (const line of far) if (line.startsWith("* You are in ")) resolve();
  })();
  return promise;
}

const monitor = freePort();
const broker = await Broker.start("-m", `${monitor}`);
const one = await Site.open(broker.address);
const two = await Site.open(broker.address);
const sites = [one, two];
let start = performance.now();
for (let from = 0; from < members; from += WAVE) {
  const wave = Array.from({ length: Math.min(WAVE, members - from) }, (_, n) => from + n);
  await Promise.all(wave.map((n) => enter(sites[n % 2], `room-${n % rooms}`)));
}
console.log(`${members} members are in ${rooms} rooms after ${secondsSince(start).toFixed(1)} s`);

start = performance.now();
const late = await Site.open(broker.address);
const started = secondsSince(start);
console.log(`a server that comes later knows all after ${started.toFixed(2)} s`);
assertEquals(late.chat.stats.members, members);
assertEquals(late.chat.stats.rooms, rooms + 1);

const connections = await fetch(`http://127.0.0.1:${monitor}/connz?subs=1`);
const subscriptions = (await connections.json()).connections
  .map(({ subscriptions }: { subscriptions: number }) => subscriptions);
console.log(`subscriptions of each server at the broker: ${subscriptions.join(", ")}`);
assertLess(Math.max(...subscriptions), 10);

await broker.kill();
for (const site of sites) await site.told("apart");
start = performance.now();
await broker.start();
for (const site of [...sites, late]) await site.told("together");
const again = secondsSince(start);
console.log(`all are together again ${again.toFixed(2)} s after the broker was started`);
assertEquals([...sites, late].map(({ chat }) => chat.stats.members), [members, members, members]);
assertLess(started, MOST);
assertLess(again, MOST);
await broker[Symbol.asyncDispose]();
// Two hundred thousand ends of connections need not be closed in order.
Deno.exit();
