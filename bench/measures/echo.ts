/**
 * Messages there and back. Pipelined: the load keeps a window of messages under way, and Lengthwise
 * answers in the plainest loop there is, `for await` and `await send()`. Round trip: the next leaves
 * when the one before is back, both ends on one core, since two would measure the waking of cores;
 * once with the load, the same for all servers, and once with each one's own client.
 */

import type { Count } from "../load/one_way.ts";
import type { Measure } from "../measure.ts";
import type { Subject } from "../programs.ts";
import { openServers } from "./servers.ts";

const SIZE = 32;
const SUBJECTS: Subject[] = ["lengthwise", "raw", "net", "ws"];

const pipelined: Measure = {
  rows: [{
    name: "pipelined echo 32 B, for await",
    unit: "msg/s",
    goals: [{ against: ["cork"], ratio: 2.5 }],
  }],
  subjects: [...SUBJECTS, "cork"],
  open: (settings) =>
    openServers({
      subjects: [...SUBJECTS, "cork"],
      client: "load",
      service: (subject) => [subject === "cork" ? "echoCorked" : "echo", `${SIZE}`],
      async run(load, { port, wire }) {
        const { duration } = settings;
        const options = { port, wire, size: SIZE, duration, connections: 4, window: 1024 };
        const { messages, seconds } = await load.ask<Count>("echo", options);
        return [messages / seconds];
      },
    }, settings),
};

function roundTrip(name: string, client: "load" | "own"): Measure {
  const goals = [{ against: ["raw" as const], ratio: 1.1 }];
  return {
    rows: [{ name, unit: "us", least: true, goals }],
    subjects: SUBJECTS,
    open: (settings) =>
      openServers({
        subjects: SUBJECTS,
        client,
        service: () => ["echo", `${SIZE}`],
        oneCore: true,
        run: async (client, { port, wire }) => [
          await client.ask<number>("roundTrip", { port, wire, size: SIZE, count: 4000 }),
        ],
      }, settings),
  };
}

/** All of this kind. */
export const echo: Measure[] = [
  roundTrip("round trip 32 B, p50", "load"),
  roundTrip("round trip 32 B, own client", "own"),
  pipelined,
];
