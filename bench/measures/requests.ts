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
  plain: "lengthwise.ts",
};
/** A group with one worker over NATS, beside a peer over TCP, and NATS alone. */
const GROUP_FILES: typeof FILES = { ...FILES, lengthwise: "group.ts" };
const GROUPED: readonly Subject[] = ["lengthwise", "plain", "nats"];
const SUBJECTS: readonly Subject[] = ["lengthwise", "sio", "nats"];
/** With `telemetry()` where nothing traces, and without. */
const UNTRACED: readonly Subject[] = ["lengthwise", "plain"];
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
      open(settings, SUBJECTS, (program) => program, async ({ client, to }) => {
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
    rows: [{
      name: "requests of 32 B, telemetry() off",
      unit: "msg/s",
      goals: [{ against: ["plain"], ratio: 0.98 }],
    }],
    subjects: UNTRACED,
    open: (settings) =>
      open(settings, UNTRACED, (program) => program, async ({ client, to }) => {
        const run = { to, kind: "json", inFlight: IN_FLIGHT, duration: settings.duration };
        const { answered, seconds } = await client.ask<Count>("many", run);
        return [answered / seconds];
      }),
  },
  {
    rows: [{ name: "requests of 32 B to a group", unit: "msg/s" }],
    subjects: GROUPED,
    open: (settings) =>
      open(settings, GROUPED, (program) => program, async ({ client, to }) => {
        const run = { to, kind: "json", inFlight: IN_FLIGHT, duration: settings.duration };
        const { answered, seconds } = await client.ask<Count>("many", run);
        return [answered / seconds];
      }),
  },
  {
    rows: [{ name: "a request to a group and its answer", unit: "us", least: true }],
    subjects: GROUPED,
    open: (settings) =>
      open(settings, GROUPED, (program) => program, async ({ client, to }) => [
        await client.ask<number>("roundTrip", { to, count: ROUND_TRIPS }),
      ]),
  },
  {
    rows: [{ name: "a request and its answer", unit: "us", least: true }],
    subjects: SUBJECTS,
    open: (settings) =>
      open(settings, SUBJECTS, onOneCore, async ({ client, to }) => [
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
  subjects: readonly Subject[],
  place: (program: Program) => Program | Promise<Program>,
  run: (ends: Ends) => Promise<number[]>,
): Promise<Runs> {
  const { peers } = settings;
  await using stack = new AsyncDisposableStack();
  const start = async (subject: Subject, role: "serve" | "ask") => {
    const traces = subjects === UNTRACED && subject === "lengthwise" ? ["telemetry"] : [];
    const file = (subjects === GROUPED ? GROUP_FILES : FILES)[subject]!;
    const child = stack.use(new Child(await place(programOf(file, [role, ...traces], peers))));
    return { child, ...await child.next<{ to: string }>() };
  };
  const started = new Map<Subject, Ends>();
  for (const subject of subjects) {
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

function programOf(file: string, args: readonly string[], peers: Peers): Program {
  return program(`subjects/requests/${file}`, args, withPeers(peers));
}
