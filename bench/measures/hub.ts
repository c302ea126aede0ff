/**
 * What one member of a room sends goes to the hundred others, by `Hub.broadcast()` with limits and
 * slow-consumer policy as they are by default, and in the same rounds by `server.broadcast()` without
 * rooms. The load is that of the fan-out without a hub.
 */

import { Child } from "../child.ts";
import type { Count } from "../load/one_way.ts";
import type { Measure, Settings } from "../measure.ts";
import { program, type Subject } from "../programs.ts";
import { openServers, type Started } from "./servers.ts";

const SIZE = 64;
const SUBSCRIBERS = 100;
const SUBJECTS: Subject[] = ["lengthwise", "ws"];
const GOALS = [{ against: ["ws"], ratio: 40 }] as const;

/** All of this kind. */
export const hub: Measure[] = [{
  rows: [
    { name: "hub 64 B to 100, deliveries", unit: "msg/s", goals: GOALS },
    { name: "the same by server.broadcast()", unit: "msg/s", goals: GOALS },
  ],
  subjects: SUBJECTS,
  async open(settings) {
    await using stack = new AsyncDisposableStack();
    const rooms = stack.use(new Child(program("subjects/hub.ts", [])));
    const { port } = await rooms.next<{ port: number }>();
    const servers = stack.use(
      await openServers({
        subjects: SUBJECTS,
        client: "load",
        service: () => ["fanOut", `${SIZE}`],
        async run(load, server) {
          const isOurs = server.wire === "u32be";
          const inRoom = isOurs ? { ...server, child: rooms, port } : server;
          return [
            await deliveries(load, inRoom, settings),
            await deliveries(load, server, settings),
          ];
        },
      }, settings),
    );
    const owned = stack.move();
    return { run: servers.run, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
}];

async function deliveries(
  load: Child,
  { child, port, wire }: Started,
  { duration }: Settings,
): Promise<number> {
  await load.ask("subscribe", { port, wire, subscribers: SUBSCRIBERS });
  // The system completes connections before the server has taken them.
  await child.ask("opened", { count: SUBSCRIBERS + 1 });
  const options = { wire, size: SIZE, duration };
  const { messages, seconds } = await load.ask<Count>("publish", options);
  return messages / seconds;
}
