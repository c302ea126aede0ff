/**
 * Every road that messages can take, each beside a bare loop over the same road: 32 B there and back
 * on one core, and messages one way over one connection, both ends the subject's own.
 *
 * What is beside it differs. Streams (TCP, Unix sockets, TLS, memory) have loops of `read()` and
 * `write()` of 64 KiB without messages; WebSockets those built into Deno, and UDP `node:dgram`, with
 * a `send()` per message. Over UDP what arrives counts, and the row of what was sent tells how much
 * was lost.
 */

import { Child, onOneCore, type Program } from "../child.ts";
import type { Measure, Row, Runs, Settings } from "../measure.ts";
import { missing, program, server, type Subject } from "../programs.ts";
import type { Arrived, Sent, Service } from "../subjects/roads/road.ts";
import { writeTls } from "../subjects/roads/tls_files.ts";

interface Road {
  /** The transport. */
  readonly name: string;
  /** The bare loop, a program. */
  readonly raw: string;
  /** What the bare loop goes over, where it is not Deno's own sockets (or, in memory, a pair of ours). */
  readonly beside?: string;
  /** Both ends are in one process. */
  readonly isWithin?: boolean;
  /** Nobody is told that something was lost, or that nothing more comes. */
  readonly isLossy?: boolean;
}

const ROADS: readonly Road[] = [
  { name: "tcp", raw: "streams.ts" },
  { name: "unix", raw: "streams.ts" },
  { name: "memory", raw: "streams.ts", isWithin: true },
  { name: "tls", raw: "streams.ts" },
  { name: "tls", raw: "node_tls.ts", beside: "node:tls" },
  { name: "ws", raw: "web_sockets.ts", beside: "WebSocket" },
  { name: "wss", raw: "web_sockets.ts", beside: "WebSocket" },
  { name: "udp", raw: "datagrams.ts", beside: "node:dgram", isLossy: true },
];

const SIZES: Record<string, number> = { "32 B": 32, "1 KiB": 1024 };
const ROUND_TRIPS = 1000;

/** All of this kind. */
export const roads: Measure[] = ROADS.flatMap((road) => [thereAndBack(road), oneWay(road)]);

function thereAndBack(road: Road): Measure {
  return measureOf(road, "echo", [{ name: "32 B there and back", unit: "us", least: true }], {
    oneCore: true,
    async run({ client, to }) {
      const run = { ...to, size: 32, count: ROUND_TRIPS };
      // What `ws` has tells two times, of which the first is the median.
      return [await client.ask<number | number[]>("roundTrip", run)].flat().slice(0, 1);
    },
  });
}

function oneWay(road: Road): Measure {
  const names = Object.keys(SIZES).flatMap((size) =>
    road.isLossy ? [size, `${size}, sent`] : [size]
  );
  return measureOf(road, "sink", names.map((name): Row => ({ name, unit: "msg/s" })), {
    async run(ends, { duration }) {
      const values = [];
      for (const size of Object.values(SIZES)) {
        const run = { ...ends.to, size, duration: duration / 2 };
        values.push(...road.isLossy ? await sendSome(ends, run) : [await sendAll(ends, run)]);
      }
      return values;
    },
  });
}

interface Ends {
  readonly subject: Subject;
  readonly client: Child;
  readonly server: Child;
  /** What the server said about where it is. */
  readonly to: object;
}

interface SendRun {
  readonly size: number;
  readonly duration: number;
}

async function sendAll({ client, server, subject }: Ends, run: SendRun): Promise<number> {
  // What `ws` has is a count of all messages.
  const before = subject === "ws" ? await server.ask<number>("received") : 0;
  const { messages, seconds } = await client.ask<Sent>("send", run);
  const received = subject === "ws"
    ? await server.ask<number>("received") - before
    : (await arrived(server, run)).messages;
  if (received !== messages) {
    throw new Error(`Cannot count: ${received} of ${messages} messages came`);
  }
  return messages / seconds;
}

/** What came per second, and what was sent. */
async function sendSome({ client, server }: Ends, run: SendRun): Promise<number[]> {
  const sent = await client.ask<Sent>("send", run);
  const received = await arrived(server, run);
  return [received.messages / received.seconds, sent.messages / sent.seconds];
}

/** Bare streams count bytes, of what could be frames with a header of 32 bits. */
async function arrived(server: Child, { size }: SendRun): Promise<Sent> {
  const { amount, seconds, isBytes } = await server.ask<Arrived>("arrived");
  return { messages: isBytes ? amount / (4 + size) : amount, seconds };
}

interface Way {
  readonly oneCore?: boolean;
  run(ends: Ends, settings: Settings): Promise<number[]>;
}

function measureOf(road: Road, service: Service, rows: readonly Row[], way: Way): Measure {
  const over = `over ${road.name}${road.beside === undefined ? "" : ` (${road.beside})`}`;
  const subjects: Subject[] = ["lengthwise", "raw", ...road.name === "ws" ? ["ws" as const] : []];
  return {
    rows: rows.map((row) => ({ ...row, name: `${over}, ${row.name}` })),
    subjects,
    open: (settings) => open(road, subjects, service, way, settings),
  };
}

/** A server and a client per subject, in processes of their own, and a directory for all. */
async function open(
  road: Road,
  subjects: readonly Subject[],
  service: Service,
  way: Way,
  settings: Settings,
): Promise<Runs> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "lengthwise-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  if (road.name === "tls" || road.name === "wss") await writeTls(directory);
  const start = async (program: Program) => {
    const child = stack.use(new Child(way.oneCore ? await onOneCore(program) : program));
    return { child, to: await child.next<object>() };
  };
  const started = new Map<Subject, Ends>();
  for (const subject of subjects) {
    if (missing(subject, settings.peers) !== undefined) continue;
    const program = (service: string) =>
      subject === "ws"
        ? server("ws", [service, "0", "0"], settings.peers)
        : programOf(road, subject, service, directory);
    const [under, other] = await Promise.all([
      start(program(service)),
      road.isWithin ? undefined : start(program("idle")),
    ]);
    const client = other?.child ?? under.child;
    started.set(subject, { subject, client, server: under.child, to: under.to });
  }
  const owned = stack.move();
  return {
    run: (subject) => way.run(started.get(subject)!, settings),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function programOf(road: Road, subject: Subject, service: string, directory: string): Program {
  const file = subject === "lengthwise" ? "lengthwise.ts" : road.raw;
  return program(`subjects/roads/${file}`, [road.name, service], {
    LENGTHWISE_BENCH_DIRECTORY: directory,
    ...trust(road, directory),
  });
}

/** The WebSockets of Deno can be told whom to trust in no other way. */
function trust({ name }: Road, directory: string): Record<string, string> {
  return name === "wss" ? { DENO_CERT: `${directory}/ca.pem` } : {};
}
