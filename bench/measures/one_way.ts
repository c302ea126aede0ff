/**
 * Messages one way over one connection, as fast as the receiver reads.
 *
 * - Both ends are the subject's own: what an application sees that uses it on both sides. The raw
 *   loop writes one block of 64 KiB, made once, again and again, and counts bytes at the other end.
 * - In: the server receives from the load, which writes blocks made ahead of time, so that only the
 *   server makes a difference. The load is the same program for all; for `ws` it speaks WebSocket.
 * - Out: the server sends, and the load reads and forgets.
 *
 * - Session: both ends are Lengthwise's, with a session, and without one ("plain").
 *
 * Lengthwise hands messages out by `batches()`, where not said otherwise. Lazy batches are those of
 * `rawBatches()`, whose memory is used again. The goal for 32 B is held
 * against the raw loop that frames: bytes that nobody divides into messages cost next to nothing.
 */

import type { Child } from "../child.ts";
import type { Count } from "../load/one_way.ts";
import type { Goal, Measure } from "../measure.ts";
import type { Subject } from "../programs.ts";
import { openServers, type Started } from "./servers.ts";

const SUBJECTS: Subject[] = ["lengthwise", "raw", "framed", "net", "ws"];
const KIB = 1024;
const MIB = 1024 * 1024;

/** All of this kind. */
export const oneWay: Measure[] = [
  through("one-way 32 B", 32, { framed: 0.55, ws: 40 }),
  through("one-way 32 B, lazy batches", 32, { raw: 0.5, framed: 0.9 }, "sinkLazy"),
  through("one-way 1 KiB", KIB, { ws: 8 }),
  through("one-way 1 KiB, lazy batches", KIB, { raw: 0.5 }, "sinkLazy"),
  through("bulk 1 MiB", MIB, { ws: 7 }),
  through("bulk 1 MiB, lazy batches", MIB, { raw: 0.7, ws: 12 }, "sinkLazy"),
  into("in 32 B", 32),
  into("in 32 B, for await", 32, "sinkEach"),
  into("in 1 KiB", KIB),
  into("in 1 MiB", MIB),
  outOf("out 32 B", 32),
  outOf("out 1 KiB", KIB),
  outOf("out 1 MiB", MIB),
  inSession("session 32 B", 32, 0.85),
  inSession("session 1 KiB", KIB, 0.9),
  inSession("session 1 MiB", MIB, 0.8),
];

function through(
  name: string,
  size: number,
  goals: Partial<Record<Subject, number>>,
  ours = "sink",
): Measure {
  return one(name, size, {
    goals: Object.entries(goals).map(([subject, ratio]) => ({
      against: [subject as "raw"],
      ratio,
    })),
    client: "own",
    service: (subject) => subject === "lengthwise" ? ours : "sink",
    run: sendAll,
  });
}

function into(name: string, size: number, ours = "sink"): Measure {
  return one(name, size, {
    client: "load",
    service: (subject) => subject === "lengthwise" ? ours : "sink",
    run: sendAll,
  });
}

function outOf(name: string, size: number): Measure {
  return one(name, size, {
    client: "load",
    service: () => "source",
    run: (client, _server, options) => client.ask<Count>("receive", options),
  });
}

function inSession(name: string, size: number, ratio: number): Measure {
  return one(name, size, {
    subjects: ["lengthwise", "plain"],
    warmUps: 15,
    goals: [{ against: ["plain"], ratio }],
    client: "own",
    service: () => "sink",
    session: true,
    run: sendAll,
  });
}

async function sendAll(client: Child, { child }: Started, options: object): Promise<Count> {
  const before = await child.ask<number>("received");
  const count = await client.ask<Count>("send", options);
  const received = await child.ask<number>("received") - before;
  if (received !== count.messages) {
    throw new Error(`Cannot count: ${received} of ${count.messages} messages came`);
  }
  return count;
}

interface Way {
  readonly subjects?: Subject[];
  readonly warmUps?: number;
  /** Whether Lengthwise's connections are sessions. */
  readonly session?: boolean;
  readonly goals?: readonly Goal[];
  readonly client: "load" | "own";
  readonly service: (subject: Subject) => string;
  run(client: Child, server: Started, options: object): Promise<Count>;
}

function one(name: string, size: number, way: Way): Measure {
  const { subjects = SUBJECTS, goals, client, service } = way;
  const session = (subject: Subject) => way.session && subject === "lengthwise" ? ["session"] : [];
  return {
    rows: [{ name, unit: "msg/s", goals }],
    subjects,
    warmUps: way.warmUps,
    open: (settings) =>
      openServers({
        subjects,
        client,
        service: (subject) => [
          service(subject),
          `${size}`,
          `${settings.duration}`,
          ...session(subject),
        ],
        async run(client, server) {
          const { port, wire, session } = server;
          const options = { port, wire, session, size, duration: settings.duration };
          const { messages, seconds } = await way.run(client, server, options);
          return [messages / seconds];
        },
      }, settings),
  };
}
