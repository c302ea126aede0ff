/**
 * Requests over one connection, both ends the subject's own: 32 B go to a handler that gives them
 * back, as a JSON string and as bytes, 256 without an answer at a time; and one after the other on one
 * core.
 *
 * Socket.IO's acknowledgements go over a WebSocket from the beginning. Between the two ends of NATS
 * stands its server, which is what NATS is for, and costs it the way there and back once more.
 */

import { Child, onOneCore, type Program } from "../child.ts";
import type { Measure, Runs, Settings } from "../measure.ts";
import type { Peers } from "../peers.ts";
import { missing, program, type Subject, withPeers } from "../programs.ts";

const FILES: Partial<Record<Subject, string>> = {
  lengthwise: "lengthwise.ts",
  sio: "socket_io.mjs",
  nats: "nats.mjs",
};
const SUBJECTS = Object.keys(FILES) as Subject[];
const IN_FLIGHT = 256;
const ROUND_TRIPS = 1000;

interface Ends {
  readonly client: Child;
  /** Where the server is. */
  readonly to: string;
}

/** All of this kind. */
export const requests: Measure[] = [
  {
    rows: (["json", "bytes"] as const).map((kind) => ({
      name: `requests of 32 B, ${kind === "json" ? "JSON" : "bytes"}`,
      unit: "msg/s",
      goals: [{ against: ["sio"], ratio: 1.2 }, { against: ["nats"], ratio: 1.2 }],
    })),
    subjects: SUBJECTS,
    open: (settings) =>
      open(settings, (program) => program, async ({ client, to }) => {
        const values = [];
        for (const kind of ["json", "bytes"]) {
          const run = { to, kind, inFlight: IN_FLIGHT, duration: settings.duration };
          const { answered, seconds } = await client.ask<Count>("many", run);
          values.push(answered / seconds);
        }
        return values;
      }),
  },
  {
    rows: [{ name: "a request and its answer", unit: "us", least: true }],
    subjects: SUBJECTS,
    open: (settings) =>
      open(settings, onOneCore, async ({ client, to }) => [
        await client.ask<number>("roundTrip", { to, count: ROUND_TRIPS }),
      ]),
  },
];

interface Count {
  readonly answered: number;
  readonly seconds: number;
}

/** A server and a client per subject, in processes of their own. */
async function open(
  settings: Settings,
  place: (program: Program) => Program | Promise<Program>,
  run: (ends: Ends) => Promise<number[]>,
): Promise<Runs> {
  const { peers } = settings;
  await using stack = new AsyncDisposableStack();
  const start = async (subject: Subject, role: "serve" | "ask") => {
    const child = stack.use(new Child(await place(programOf(subject, role, peers))));
    return { child, ...await child.next<{ to: string }>() };
  };
  const started = new Map<Subject, Ends>();
  for (const subject of SUBJECTS) {
    if (missing(subject, peers) !== undefined) continue;
    const [{ to }, client] = await Promise.all([start(subject, "serve"), start(subject, "ask")]);
    started.set(subject, { client: client.child, to });
  }
  const owned = stack.move();
  return {
    run: (subject) => run(started.get(subject)!),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function programOf(subject: Subject, role: string, peers: Peers): Program {
  return program(`subjects/requests/${FILES[subject]}`, [role], withPeers(peers));
}
