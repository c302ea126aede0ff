/**
 * What one member of a room sends goes to the hundred others, by `Hub.broadcast()` with limits and
 * slow-consumer policy as they are by default, and in the same rounds by `server.broadcast()` without
 * rooms. The load is that of the fan-out without a hub. And the same room with ten thousand members
 * beside a hundred: each delivery should cost the same. And notifications of 64 B to the peers of a room,
 * by `PeerHub.notify()`, beside messages to its connections.
 */

import { Child } from "../child.ts";
import type { Count } from "../load/one_way.ts";
import type { Measure, Settings } from "../measure.ts";
import { load, program, type Subject } from "../programs.ts";
import { openServers, type Started } from "./servers.ts";

const SIZE = 64;
const SUBSCRIBERS = 100;
const SUBJECTS: Subject[] = ["lengthwise", "ws"];
const MANY = 10_000;
const GOALS = [{ against: ["ws"], ratio: 80 }] as const;

/** All of this kind. */
export const hub: Measure[] = [{
  rows: [
    { name: "hub 64 B to 100, deliveries", unit: "msg/s", goals: GOALS },
    { name: "the same by server.broadcast()", unit: "msg/s", goals: GOALS },
  ],
  subjects: SUBJECTS,
  async open(settings) {
    await using stack = new AsyncDisposableStack();
    const rooms = await startRooms(stack);
    const servers = stack.use(
      await openServers({
        subjects: SUBJECTS,
        client: "load",
        service: () => ["fanOut", `${SIZE}`],
        async run(loader, server) {
          const isOurs = server.wire === "u32be";
          const inRoom = isOurs ? rooms : server;
          return [
            await deliveries(loader, inRoom, settings),
            await deliveries(loader, server, settings),
          ];
        },
      }, settings),
    );
    const owned = stack.move();
    return { run: servers.run, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
}, {
  rows: [{
    name: "hub 64 B to 10 000, deliveries",
    unit: "msg/s",
    goals: [{ against: ["few"], ratio: 0.8 }],
  }],
  subjects: ["lengthwise", "few"],
  async open(settings) {
    await using stack = new AsyncDisposableStack();
    const few = await startRooms(stack);
    const many = await startRooms(stack);
    const loader = stack.use(new Child(load(settings.peers)));
    await loader.next();
    const owned = stack.move();
    return {
      async run(subject) {
        const [server, members] = subject === "few" ? [few, SUBSCRIBERS] : [many, MANY];
        const value = await deliveries(loader, server, settings, members);
        await server.child.ask("emptied");
        return [value];
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
}, {
  rows: [SUBSCRIBERS, MANY].map((members) => ({
    name: `notify 64 B to ${members === MANY ? "10 000" : members} peers, deliveries`,
    unit: "msg/s",
    goals: [{ against: ["hub"], ratio: 0.8 }],
  })),
  subjects: ["lengthwise", "hub"],
  async open(settings) {
    await using stack = new AsyncDisposableStack();
    const peers = await startRooms(stack, "peers");
    const rooms = await startRooms(stack);
    const loader = stack.use(new Child(load(settings.peers)));
    await loader.next();
    const owned = stack.move();
    return {
      async run(subject) {
        const server = subject === "hub" ? rooms : peers;
        const values: number[] = [];
        for (const members of [SUBSCRIBERS, MANY]) {
          values.push(await deliveries(loader, server, settings, members));
          await server.child.ask("emptied");
        }
        return values;
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
}];

async function startRooms(
  stack: AsyncDisposableStack,
  file: "hub" | "peers" = "hub",
): Promise<Started> {
  const child = stack.use(new Child(program(`subjects/${file}.ts`, [])));
  const wire = file === "peers" ? "notify" : "u32be";
  return { child, ...await child.next<{ port: number }>(), wire };
}

async function deliveries(
  loader: Child,
  { child, port, wire }: Started,
  { duration }: Settings,
  subscribers = SUBSCRIBERS,
): Promise<number> {
  await loader.ask("subscribe", { port, wire, subscribers });
  // The system completes connections before the server has taken them.
  await child.ask("opened", { count: subscribers + 1 });
  const options = { wire, size: SIZE, duration };
  const { messages, seconds } = await loader.ask<Count>("publish", options);
  return messages / seconds;
}
