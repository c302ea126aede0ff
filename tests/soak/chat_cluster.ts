/**
 * One chat of three servers with clients over tcp, line, tls, ws and sessions that talk at a steady rate,
 * while a server is killed and started again, the broker is killed, and all servers are started again one
 * after the other: everybody hears everything of its room, once and in one order.
 *
 * ```
 * deno run -A tests/soak/chat_cluster.ts [--clients N] [--messages N] [--rate N]
 * ```
 *
 * `--rate` is how many messages a second all clients say together. Each is heard by ten.
 */

import { parseArgs } from "@std/cli/parse-args";
import { Town } from "../interop/chat_cluster_town.ts";
import type { Wanderer } from "../interop/chat_cluster_wanderer.ts";

const options = parseArgs(Deno.args, {
  string: ["clients", "messages", "rate"],
  default: { clients: "300", messages: "100000", rate: "500" },
});
const clients = Number(options.clients);
const messages = Number(options.messages);
const rate = Number(options.rate);
const startedAt = performance.now();
const tell = (text: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${text}`);

/** Waits until they have all come to a server again, and tells how long that took since a moment. */
async function areBack(people: readonly Wanderer[], since: number): Promise<string> {
  const times: number[] = [];
  for (const person of people) {
    await person.until(() => person.arrivedAt > since);
    times.push((person.arrivedAt - since) / 1000);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(share * times.length) - 1]?.toFixed(2);
  return `half of ${times.length} after ${at(0.5)} s, the last one after ${at(1)} s`;
}

await using town = await Town.open({ clients, perRoom: 10 });
tell(`${clients} clients are in ${Math.ceil(clients / 10)} rooms`);
town.talk(rate, messages);
await town.heard(0.1 * messages);
const lost = town.at(0);
const killedAt = performance.now();
await town.kill(0);
tell("a server was killed");
tell(`its clients are back: ${await areBack(lost, killedAt)}`);
await town.start(0);
tell("it was started again");
await town.heard(0.4 * messages);
await town.broker.kill();
tell("the broker was killed");
await new Promise((resolve) => setTimeout(resolve, 5_000));
await town.broker.start();
tell("it is back");
await town.heard(0.6 * messages);
const before = town.people.map(({ arrivals }) => arrivals);
for (const server of [0, 1, 2]) {
  const its = town.at(server);
  const stoppedAt = performance.now();
  await town.stop(server);
  await town.start(server);
  const back = its.length === 0 ? "it had none" : await areBack(its, stoppedAt);
  tell(`a server was started again in order; its clients are back: ${back}`);
}
const moves = town.people.map(({ arrivals }, n) => arrivals - before[n]);
tell(`each client moved at most ${Math.max(...moves)} times`);
await town.heard(messages);
await town.check();
tell(`${town.said} messages: none lost, none twice, one order in each room`);
