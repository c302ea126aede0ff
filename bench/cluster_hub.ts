/**
 * A hub of two servers over one NATS broker, beside the same hub in one server, Socket.IO's two over Redis
 * streams, and NATS alone: deliveries to 100 members of what one publishes, and the way of one message
 * from a member to another one, which two processes also go by hand: on bare sockets, with and without
 * NATS' client. The publisher is at most so many blocks of 500 messages ahead of the slowest member.
 *
 * ```
 * deno run -A bench/cluster_hub.ts [ROUNDS [BLOCKS]]
 * ```
 */

import { delay } from "@std/async/delay";
import { engine, freePort, RunningEngine } from "../tests/interop/engines/engine.ts";
import { Child } from "./child.ts";
import type { Count } from "./load/one_way.ts";
import type { Wire } from "./load/wire.ts";
import { installPeers } from "./peers.ts";
import { load, program, withPeers } from "./programs.ts";
import { median } from "./table.ts";

const SIZE = 64;
const SUBSCRIBERS = 100;
const DURATION = 1_000;
const HOPS = 2_000;
/** After so long a broker knows of a room, in milliseconds. */
const SOON = 200;

interface Started {
  readonly child: Child;
  readonly port: number;
}

const [rounds, blocksUnderWay] = [Number(Deno.args[0] ?? 5), Number(Deno.args[1] ?? 4)];
engine("NATS", { commands: ["nats-server"] });
const peers = await installPeers();
if (peers.noPackages !== undefined) throw new Error(`Cannot compare: ${peers.noPackages}`);

await using stack = new AsyncDisposableStack();
async function startEngine(command: string[], port: number, ready: string): Promise<void> {
  const at = [`tcp://127.0.0.1:${port}`];
  stack.use(await RunningEngine.start(command, { ready, at, endBy: "SIGKILL" }));
}
async function start(file: string, args: string[] = []): Promise<Started> {
  const child = stack.use(new Child(program(`subjects/cluster/${file}`, args, withPeers(peers))));
  return { child, ...await child.next<{ port: number }>() };
}

const broker = freePort();
await startEngine(["nats-server", "-a", "127.0.0.1", "-p", `${broker}`], broker, "Server is ready");
const redis = freePort();
const redisOptions = ["--bind", "127.0.0.1", "--port", `${redis}`, "--save", ""];
await startEngine(["redis-server", ...redisOptions], redis, "Ready to accept connections");

/** What is measured side by side: the ports of its servers. */
const subjects: Record<string, { wire: Wire; servers: Started[] }> = {
  "one server": { wire: "u32be", servers: [await start("hub.ts")] },
  "two servers": { wire: "u32be", servers: await pair("hub.ts", broker) },
  "Socket.IO's two": { wire: "sio", servers: await pair("socket_io.mjs", redis) },
};
async function pair(file: string, port: number): Promise<Started[]> {
  return [await start(file, [`${port}`]), await start(file, [`${port}`])];
}
/** Resolves when all members are where they can hear each other. */
async function joined(wire: Wire, servers: readonly Started[]): Promise<void> {
  if (wire === "sio") return; // Its handshake says so.
  const count = SUBSCRIBERS + 1;
  const share = (i: number) => Math.ceil((count - i) / servers.length);
  await Promise.all(servers.map(({ child }, i) => child.ask("opened", { count: share(i) })));
  await delay(SOON);
}

const byHand: Record<string, Started[]> = {
  "bare sockets": await pair("bare.ts", broker),
  "bare sockets and NATS' client": await pair("bare_nats.ts", broker),
};
const { child: nats } = await start("nats.mjs", [`${broker}`]);
const client = stack.use(new Child(load(peers)));
await client.next();

const results: Record<string, number[]> = {};
for (let round = 0; round <= rounds; round++) {
  const note = (name: string, value: number) => {
    if (round > 0) (results[name] ??= []).push(value); // The first one warms up.
  };
  for (const [name, { wire, servers }] of Object.entries(subjects)) {
    const ports = servers.map(({ port }) => port);
    await client.ask("subscribe", { port: ports, wire, subscribers: SUBSCRIBERS });
    await joined(wire, servers);
    const { messages, seconds } = await client.ask<Count>("publish", {
      wire,
      size: SIZE,
      duration: DURATION,
      blocksUnderWay,
    });
    note(`${name}: deliveries/s`, messages / seconds);
    const way = { from: ports[0], to: ports.at(-1), wire, size: SIZE, count: HOPS };
    note(`${name}: one message, us`, (await client.ask<number[]>("hop", way))[0]);
    await Promise.all(
      servers.map(({ child }) =>
        wire === "sio" || child.ask("opened", { count: 2 / servers.length })
      ),
    );
  }
  for (const [name, [from, to]] of Object.entries(byHand)) {
    const way = { from: from.port, to: to.port, wire: "u32be", size: SIZE, count: HOPS };
    note(`${name}: one message, us`, (await client.ask<number[]>("hop", way))[0]);
  }
  note(
    "NATS alone: one message, us",
    (await nats.ask<number[]>("hop", { size: SIZE, count: HOPS }))[0],
  );
}
for (const [name, values] of Object.entries(results)) {
  console.log(`${name}: ${Math.round(median(values))}   (${values.map(Math.round).join(", ")})`);
}
const of = (name: string) => median(results[name]);
const [one, two, sio] = Object.keys(subjects);
const added = (name: string) =>
  (of(`${name}: one message, us`) - of(`${one}: one message, us`)) /
  of("NATS alone: one message, us");
const ratios = {
  "deliveries, two servers / one": of(`${two}: deliveries/s`) / of(`${one}: deliveries/s`),
  "deliveries, two servers / Socket.IO's": of(`${two}: deliveries/s`) / of(`${sio}: deliveries/s`),
  "what the broker adds / NATS alone": added(two),
  ...Object.fromEntries(
    Object.keys(byHand).map((name) => [`the same with ${name}`, added(name)]),
  ),
};
for (const [name, value] of Object.entries(ratios)) console.log(`${name}: ${value.toFixed(2)}`);
