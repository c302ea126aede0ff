/**
 * Messages there and back. Pipelined: the load keeps a window of messages under way, and Lengthwise
 * answers in the plainest loop there is, `for await` and `await send()`. Round trip: the next leaves
 * when the one before is back, both ends on one core, since two would measure the waking of cores;
 * once with the load, the same for all servers, and once with each one's own client.
 */

import type { Count } from "../load/one_way.ts";
import type { Goal, Measure } from "../measure.ts";
import type { Subject } from "../programs.ts";
import { openServers } from "./servers.ts";

const SIZE = 32;
const SUBJECTS: Subject[] = ["lengthwise", "raw", "net", "ws"];

const pipelined: Measure = {
  rows: [{
    name: "pipelined echo 32 B, for await",
    unit: "msg/s",
    goals: [{ against: ["net"], ratio: 1.2 }, { against: ["cork"], ratio: 2.5 }],
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

const MEDIAN_GOALS: Goal[] = [{ against: ["raw"], ratio: 1.08 }, { against: ["ws"], ratio: 1 }];
const P99_GOALS: Goal[] = [{ against: ["raw"], ratio: 1.3 }];

function roundTrip(name: string, client: "load" | "own"): Measure {
  return {
    rows: [
      { name: `${name}, p50`, unit: "us", least: true, goals: MEDIAN_GOALS },
      { name: `${name}, p99`, unit: "us", least: true, goals: P99_GOALS },
    ],
    subjects: SUBJECTS,
    open: (settings) =>
      openServers({
        subjects: SUBJECTS,
        client,
        service: () => ["echo", `${SIZE}`],
        oneCore: true,
        run: (client, { port, wire }) =>
          client.ask<number[]>("roundTrip", { port, wire, size: SIZE, count: 4000 }),
      }, settings),
  };
}

/** All of this kind. */
export const echo: Measure[] = [
  roundTrip("round trip 32 B", "load"),
  roundTrip("round trip 32 B, own client", "own"),
  pipelined,
];
