/**
 * What one connection sends goes to a hundred others, by `server.broadcast()` with limits and
 * slow-consumer policy as they are by default. The load holds all the connections, and takes only
 * as much as the slowest of them has received.
 */

import type { Count } from "../load/one_way.ts";
import type { Measure } from "../measure.ts";
import type { Subject } from "../programs.ts";
import { openServers } from "./servers.ts";

const SIZE = 64;
const SUBSCRIBERS = 100;
const SUBJECTS: Subject[] = ["lengthwise", "raw", "c", "ws"];

/** All of this kind. */
export const fanOut: Measure[] = [{
  rows: [{
    name: "fan-out 64 B to 100, deliveries",
    unit: "msg/s",
    goals: [{ against: ["ws"], ratio: 80 }, { against: ["c"], ratio: 0.25 }],
  }],
  subjects: SUBJECTS,
  open: (settings) =>
    openServers({
      subjects: SUBJECTS,
      client: "load",
      service: () => ["fanOut", `${SIZE}`],
      async run(load, { port, wire, child }) {
        await load.ask("subscribe", { port, wire, subscribers: SUBSCRIBERS });
        // The system completes connections before the server has taken them.
        await child.ask("opened", { count: SUBSCRIBERS + 1 });
        const options = { wire, size: SIZE, duration: settings.duration };
        const { messages, seconds } = await load.ask<Count>("publish", options);
        return [messages / seconds];
      },
    }, settings),
}];
