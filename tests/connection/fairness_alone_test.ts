/** Busy connections must not starve a quiet one. */

import { assert } from "@std/assert";
import process from "node:process";
import { connect } from "../../client.ts";
import { listen } from "../../server.ts";

/** What 99 of 100 round trips of a quiet connection may take beside a saturated one, in milliseconds. */
const MOST = 5;
/** The same, of the time that this process works, where other programs have its core, too. */
const MOST_SHARED = 30;
const ROUND_TRIPS = 300;
/** Other programs may take the cores. That is no fault of this one, unless it is so each time. */
const ATTEMPTS = 10;
/** Others have the cores, too, when they use so much of one, or this process and the busy one share one. */
const OTHERS = 0.1;
/** How much the busy one writes at once. */
const WRITE_BYTES = 64 * 1024;
const CORES = navigator.hardwareConcurrency;
/** How many are busy at once, and what the quiet one's p99 may be then: more than one has its turn meanwhile. */
const MANY = 100;
const MOST_OF_MANY = 30;

/** A program that sends as many messages as the server takes, over all connections, and reads what comes back. */
const flood = (port: string, size: number, writeBytes: number, connections: number) => `
  const frame = new Uint8Array(4 + ${size});
  new DataView(frame.buffer).setUint32(0, ${size});
  const block = new Uint8Array(frame.length * Math.max(1, Math.floor(${writeBytes} / frame.length)));
  for (let at = 0; at < block.length; at += frame.length) block.set(frame, at);
  for (let i = 0; i < ${connections}; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
    (async () => {
      const chunk = new Uint8Array(65536);
      while (await conn.read(chunk) !== null);
    })();
    (async () => {
      for (;;) for (let at = 0; at < block.length;) at += await conn.write(block.subarray(at));
    })();
  }
`;

/** A program that takes as many messages as the server sends. */
const drain = (port: string, size: number) => `
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
  const frame = new Uint8Array(4 + ${size});
  new DataView(frame.buffer).setUint32(0, ${size});
  await conn.write(frame);
  const chunk = new Uint8Array(65536);
  while (await conn.read(chunk) !== null);
`;

/** What the server does for the busy connection. */
type Service = "take" | "echo" | "send";

/** What the round trips of a quiet connection took beside a saturated one. */
interface Attempt {
  /** The p99, in milliseconds that passed. */
  readonly passed: number;
  /** The p99, in milliseconds that this process worked. */
  readonly worked: number;
  /** How much of a core others used, neither this process nor the busy one. */
  readonly others: number;
}

/** Milliseconds that this process has worked, all its threads together. */
function workedSoFar(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * Milliseconds that all others than this process and a child have worked, or that the machine itself was kept
 * from working: Linux tells it. 0 elsewhere.
 */
async function othersSoFar(child: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  const stat = (await Deno.readTextFile("/proc/stat")).split("\n")[0].split(/ +/).map(Number);
  const [, user, nice, system, , , irq, softirq, steal] = stat;
  const ofChild = (await Deno.readTextFile(`/proc/${child}/stat`)).split(") ")[1].split(" ");
  const ticks = user + nice + system + irq + softirq + steal - Number(ofChild[11]) -
    Number(ofChild[12]);
  return ticks * TICK - workedSoFar();
}

/** The system counts in hundredths of a second. */
const TICK = 10;

const p99 = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)];

const isFair = ({ passed, worked, others }: Attempt, most: number) =>
  passed < most || ((others > OTHERS || CORES === 1) && worked < Math.max(MOST_SHARED, most));

/** Measures a quiet connection's round trips while the busy ones are saturated. */
async function quietBesideBusy(
  size: number,
  service: Service,
  writeBytes: number,
  connections: number,
): Promise<Attempt> {
  let served = 0;
  const busyOnes = new Set<unknown>();
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    const first = await connection.receive();
    if (first === undefined) return;
    const isQuiet = first.length === 1;
    if (isQuiet) await connection.send("!");
    while (!isQuiet && service === "send") {
      await connection.send(first);
      served++;
    }
    for await (const message of connection) {
      if (!isQuiet) served++, busyOnes.add(connection);
      if (isQuiet || service === "echo") await connection.send(message);
    }
  });
  const { port } = new URL(server.endpoints[0]);
  const program = service === "send"
    ? drain(port, size)
    : flood(port, size, writeBytes, connections);
  await using busy = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdin: "null",
  }).spawn();
  await using quiet = await connect(server.endpoints[0]);
  const roundTrip = async () => {
    await quiet.send("?");
    await quiet.receive();
  };
  while (served === 0 || busyOnes.size < connections && service !== "send") await roundTrip();
  const [passed, worked]: [number[], number[]] = [[], []];
  const before = { served, time: performance.now(), others: await othersSoFar(busy.pid) };
  while (passed.length < ROUND_TRIPS || served === before.served) {
    const start = { time: performance.now(), worked: workedSoFar() };
    await roundTrip();
    passed.push(performance.now() - start.time);
    worked.push(workedSoFar() - start.worked);
  }
  const time = performance.now() - before.time;
  const others = (await othersSoFar(busy.pid) - before.others) / time;
  busy.kill("SIGKILL");
  await busy.status;
  return { passed: p99(passed), worked: p99(worked), others };
}

for (
  const [name, size, service, writeBytes, connections, most] of [
    ["one that sends small messages", 32, "take", WRITE_BYTES, 1, MOST],
    ["one that sends small messages and gets them back", 32, "echo", WRITE_BYTES, 1, MOST],
    ["one that sends small messages in small writes and gets them back", 32, "echo", 1024, 1, MOST],
    ["one that sends messages of 1 KiB and gets them back", 1024, "echo", WRITE_BYTES, 1, MOST],
    ["one that sends messages of 1 MiB", 1024 * 1024, "take", WRITE_BYTES, 1, MOST],
    ["one that gets as many small messages as it reads", 32, "send", WRITE_BYTES, 1, MOST],
    [`${MANY} that get back what they send`, 32, "echo", WRITE_BYTES, MANY, MOST_OF_MANY],
  ] as const
) {
  Deno.test(`A quiet connection is answered in ${most} ms, at p99, beside ${name}`, async () => {
    const attempts: Attempt[] = [];
    const isDone = () => attempts.some((attempt) => isFair(attempt, most));
    while (attempts.length < ATTEMPTS && !isDone()) {
      attempts.push(await quietBesideBusy(size, service, writeBytes, connections));
    }
    assert(isDone(), `p99 of each attempt: ${JSON.stringify(attempts)}`);
  });
}
