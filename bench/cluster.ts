/**
 * A session at its home, and carried to it by another server of the cluster, over one NATS: how long it
 * takes to come back, a message of 32 B there and back, and messages of 32 KiB.
 *
 * ```
 * deno run -A bench/cluster.ts [ROUNDS]
 * ```
 */

import { connect } from "../client.ts";
import type { Connection } from "../connection.ts";
import { openSession, type Session } from "../session.ts";
import { engine, freePort, Program, RunningEngine } from "../tests/interop/engines/engine.ts";
import { median } from "./table.ts";

const PEER = new URL("../tests/interop/peers/cluster_server.ts", import.meta.url).pathname;
const RETURNS = 30;
const ROUND_TRIPS = 2_000;
const LARGE = new Uint8Array(32 * 1024);
const LARGE_COUNT = 2_000;
/** How many large messages are on the way. */
const AHEAD = 16;

/** A session, and how to lead it elsewhere. */
class Subject {
  #carrier: Connection | undefined;
  session!: Session;

  constructor(public endpoint: string) {}

  static async open(endpoint: string): Promise<Subject> {
    const subject = new Subject(endpoint);
    subject.session = await openSession({
      dial: async (signal) => subject.#carrier = await connect(subject.endpoint, { signal }),
      session: { retry: () => 0 },
    });
    return subject;
  }

  /** The time from the loss of the carrier until an answer has come over the next one, in milliseconds. */
  async comeBack(endpoint: string): Promise<number> {
    this.endpoint = endpoint;
    const start = performance.now();
    this.#carrier!.abort();
    await this.roundTrip();
    return performance.now() - start;
  }

  async roundTrip(): Promise<number> {
    const start = performance.now();
    this.session.send(new Uint8Array(32));
    await this.session.receive();
    return performance.now() - start;
  }

  /** MiB per second there, and as many back. */
  async throughput(): Promise<number> {
    const start = performance.now();
    let received = 0;
    for (let sent = 0; received < LARGE_COUNT;) {
      if (sent < LARGE_COUNT && sent - received < AHEAD) {
        await this.session.send(LARGE);
        sent++;
      } else {
        await this.session.receive();
        received++;
      }
    }
    const seconds = (performance.now() - start) / 1_000;
    return LARGE_COUNT * LARGE.length / 2 ** 20 / seconds;
  }
}

async function start(broker: number): Promise<{ program: Program; endpoint: string }> {
  const flags = ["--no-check", "--quiet", "--allow-net"];
  const program = new Program([Deno.execPath(), "run", ...flags, PEER, `${broker}`]);
  await program.until("listening on ");
  const [endpoint] = (await program.until("\n")).trim().split("?");
  return { program, endpoint };
}

const rounds = Number(Deno.args[0] ?? 3);
engine("NATS", { commands: ["nats-server"] });
const broker = freePort();
await using _broker = await RunningEngine.start(
  ["nats-server", "-a", "127.0.0.1", "-p", `${broker}`],
  { ready: "Server is ready", at: [`tcp://127.0.0.1:${broker}`], endBy: "SIGKILL" },
);
const home = await start(broker);
const other = await start(broker);
const results: Record<string, number[]> = {};
const note = (name: string, value: number) => (results[name] ??= []).push(value);
for (let round = 0; round <= rounds; round++) {
  const isWarm = round > 0; // The first one warms up.
  const subject = await Subject.open(home.endpoint);
  for (const [name, { endpoint }] of [["at home", home], ["carried", other]] as const) {
    const returns = [];
    for (let i = 0; i < RETURNS; i++) returns.push(await subject.comeBack(endpoint));
    const trips = [];
    for (let i = 0; i < ROUND_TRIPS; i++) trips.push(await subject.roundTrip());
    const throughput = await subject.throughput();
    if (!isWarm) continue;
    note(`${name}: back in, ms`, median(returns));
    note(`${name}: 32 B there and back, ms`, median(trips));
    note(`${name}: 32 KiB, MiB/s each way`, throughput);
  }
  await subject.session.close();
  // What a server would need to say that it is somewhere else: as a server does that knows no session.
  const refusals = [];
  for (let i = 0; i < RETURNS; i++) {
    const start = performance.now();
    const carrier = await connect(other.endpoint);
    carrier.send(new Uint8Array(1));
    await carrier.receive();
    refusals.push(performance.now() - start);
    await carrier.close();
  }
  if (isWarm) note("refused elsewhere, ms", median(refusals));
}
for (const [name, values] of Object.entries(results)) {
  console.log(`${name}: ${median(values).toFixed(3)}`);
}
for (const { program } of [home, other]) await program[Symbol.asyncDispose]();
