/**
 * Sessions whose sockets are cut, chopped, held up and swallowed again and again, and whose processes
 * stand still now and then: each message arrives once, in order.
 *
 * ```
 * deno run -A tests/soak/sessions.ts [--messages N] [--cuts N] [--seed N] [--quick]
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream } from "@std/streams/text-line-stream";
import { connect } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { listen } from "../../server.ts";
import type { Session, SessionOptions } from "../../session.ts";
import { CuttingProxy, randomOf } from "../support/cutting_proxy.ts";

/** How much to run. */
export interface SoakOptions {
  /** Each way. */
  readonly messages: number;
  readonly cuts: number;
  readonly seed: number;
}

/** What came of it. */
export interface SoakResult {
  /** Messages that came, by who got them. */
  readonly received: { readonly client: number; readonly server: number };
  readonly cuts: number;
  /** Cuts that only heartbeats find. */
  readonly darkCuts: number;
  readonly resumes: number;
  readonly bytes: number;
  readonly seconds: number;
  /** The most that was in use, in MiB, as looked at now and then. */
  readonly memory: { readonly rss: number; readonly heap: number };
  /** What should not be; all is well when it is empty. */
  readonly wrongs: readonly string[];
}

/** What came of processes that stood still. */
export interface FreezeResult {
  readonly who: Who;
  readonly received: { readonly client: number; readonly server: number };
  readonly freezes: number;
  readonly resumes: number;
  readonly seconds: number;
  readonly wrongs: readonly string[];
}

type Who = "client" | "server";

const SESSION: SessionOptions = {
  retry: () => 1,
  heartbeatInterval: 150,
  heartbeatTimeout: 150,
  helloTimeout: 1_000,
};
/** Most messages are small; a few are larger than what is sent at a time. */
const SMALL_BYTES = 80;
const LARGE_BYTES = 200_000;
const LARGE_EVERY = 499;
/** Whatever hangs is a failure too, in milliseconds. */
const MAX_TIME = 15 * 60_000;

/** The lengths of messages, again and again. */
function lengthsOf(seed: number): number[] {
  const random = randomOf(~seed);
  return Array.from({ length: 2 * LARGE_EVERY - 1 }, (_, i) => {
    const most = i % LARGE_EVERY === LARGE_EVERY - 1 ? LARGE_BYTES : SMALL_BYTES;
    return 4 + Math.floor(most * random());
  });
}

/** One program's end of a session: sends its messages, and looks at those that come. */
class Exchange {
  received = 0;
  readonly wrongs: string[] = [];
  readonly #count: number;
  readonly #lengths: readonly number[];
  #goals: { readonly received: number; readonly reached: () => void }[] = [];
  #gates: { readonly at: number; readonly opened: Promise<void> }[] = [];

  constructor({ messages, seed }: Pick<SoakOptions, "messages" | "seed">) {
    this.#count = messages;
    this.#lengths = lengthsOf(seed);
  }

  /** Resolves when both streams are over. */
  async run(connection: Connection): Promise<this> {
    try {
      await Promise.all([this.#send(connection), this.#receive(connection)]);
      const { clean, error } = await connection.close();
      if (!clean) this.wrong(`it did not close in order: ${error}`);
    } catch (error) {
      this.wrong(String(error));
      connection.abort(error);
    }
    if (this.received !== this.#count) {
      this.wrong(`${this.received} of ${this.#count} messages came`);
    }
    for (const { reached } of this.#goals) reached();
    return this;
  }

  /** Resolves when so many messages have come, or no more will. */
  until(received: number): Promise<void> {
    return new Promise((reached) => {
      if (this.received >= received) reached();
      else this.#goals.push({ received, reached });
    });
  }

  /** Sends no more than so many messages before that. */
  holdAt(sent: number): { open(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.push({ at: sent, opened: promise });
    return { open: resolve };
  }

  async #send(connection: Connection): Promise<void> {
    for (let i = 0; i < this.#count; i++) {
      if (this.#gates[0]?.at === i) await this.#gates.shift()!.opened;
      const message = new Uint8Array(this.#lengths[i % this.#lengths.length]).fill(i);
      new DataView(message.buffer).setUint32(0, i);
      const ready = connection.send(message);
      if (i % 64 === 0) await ready;
    }
    await connection.closeWrite();
  }

  async #receive(connection: Connection): Promise<void> {
    for await (const batch of connection.batches()) {
      for (const message of batch) this.#look(message);
      if (this.#goals.length === 0 || this.#goals[0].received > this.received) continue;
      this.#goals.shift()!.reached();
    }
  }

  #look(message: Uint8Array): void {
    const i = this.received++;
    const { buffer, byteOffset, length } = message;
    const number = length < 4 ? -1 : new DataView(buffer, byteOffset).getUint32(0);
    let isWhole = length === this.#lengths[i % this.#lengths.length];
    for (let at = length - 1; at >= 4; at -= 509) isWhole &&= message[at] === i % 256;
    if (number !== i || !isWhole) this.wrong(`message ${number} of ${length} bytes came as ${i}`);
  }

  /** Keeps a few. */
  wrong(what: string): void {
    if (this.wrongs.length < 20) this.wrongs.push(what);
  }
}

/** Looks now and then at how much memory is in use. */
class Memory implements Disposable {
  rss = 0;
  heap = 0;
  readonly #timer = setInterval(() => this.#look(), 50);

  #look(): void {
    const { rss, heapUsed } = Deno.memoryUsage();
    this.rss = Math.max(this.rss, Math.round(rss / 2 ** 20));
    this.heap = Math.max(this.heap, Math.round(heapUsed / 2 ** 20));
  }

  [Symbol.dispose](): void {
    this.#look();
    clearInterval(this.#timer);
  }
}

/** Both ends in this process, and a proxy that does its worst between them. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const there = new Exchange(options);
  const here = new Exchange(options);
  const startedAt = performance.now();
  const lengths = lengthsOf(options.seed);
  const meanBytes = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const memory = new Memory();
  const served = Promise.withResolvers<void>();
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { session: SESSION },
    async (connection) => served.resolve(void await there.run(connection)),
  );
  await using proxy = new CuttingProxy({
    port: Number(new URL(server.endpoints[0]).port),
    seed: options.seed,
    cuts: options.cuts,
    // Half of what is sent, on the average: chance never leaves too little for the last cuts.
    meanBytes: options.messages * meanBytes / (options.cuts + 1),
    darkShare: 0.15,
    chopShare: 0.05,
    maxDelay: 3,
  });
  const session = await connect(`tcp://127.0.0.1:${proxy.port}`, { session: SESSION });
  await Promise.all([here.run(session), served.promise]);
  memory[Symbol.dispose]();
  const wrongs = [
    ...here.wrongs.map((wrong) => `client: ${wrong}`),
    ...there.wrongs.map((wrong) => `server: ${wrong}`),
  ];
  const { cuts, darkCuts, bytes } = proxy;
  const { resumes } = (session as Session).stats;
  if (cuts < options.cuts) wrongs.push(`only ${cuts} of ${options.cuts} cuts were made`);
  if (resumes < cuts / 4) wrongs.push(`${resumes} resumes are too few for ${cuts} cuts`);
  return {
    received: { client: here.received, server: there.received },
    cuts,
    darkCuts,
    resumes,
    bytes,
    seconds: (performance.now() - startedAt) / 1000,
    memory: { rss: memory.rss, heap: memory.heap },
    wrongs,
  };
}

/** One end in a process of its own, which is stopped again and again until the other end notices. */
export async function freeze(
  who: Who,
  options: Pick<SoakOptions, "messages" | "seed">,
  freezes: number,
): Promise<FreezeResult> {
  const { messages, seed } = options;
  const startedAt = performance.now();
  const here = new Exchange(options);
  await using stack = new AsyncDisposableStack();
  const opened = Promise.withResolvers<Session>();
  let child: Child;
  if (who === "client") {
    const server = stack.use(
      await listen("tcp://127.0.0.1:0", { session: SESSION }, async (connection) => {
        opened.resolve(connection as Session);
        await connection.closed;
      }),
    );
    child = stack.use(new Child([who, server.endpoints[0], `${messages}`, `${seed}`]));
  } else {
    child = stack.use(new Child([who, "", `${messages}`, `${seed}`]));
    const { endpoint } = await child.next() as { endpoint: string };
    opened.resolve(await connect(endpoint, { session: SESSION }) as Session);
  }
  const session = await opened.promise;
  const places = Array.from(
    { length: freezes },
    (_, i) => Math.floor((i + 1) * messages / (freezes + 1)),
  );
  const gates = places.map((place) => here.holdAt(place));
  const running = here.run(session);
  for (const [i, place] of places.entries()) {
    await here.until(place);
    child.stop();
    gates[i].open();
    for await (const { state } of session.states()) if (state !== "connected") break;
    child.goOn();
    for await (const { state } of session.states()) if (state !== "reconnecting") break;
  }
  const { resumes } = session.stats;
  await running;
  const there = await child.next() as { received: number; wrongs: string[] };
  const wrongs = [...here.wrongs, ...there.wrongs.map((wrong) => `${who}: ${wrong}`)];
  if (resumes < freezes) wrongs.push(`${resumes} resumes are too few for ${freezes} freezes`);
  return {
    who,
    received: who === "client"
      ? { client: there.received, server: here.received }
      : { client: here.received, server: there.received },
    freezes,
    resumes,
    seconds: (performance.now() - startedAt) / 1000,
    wrongs,
  };
}

const children = new Set<Child>();

/** This program in a process of its own, as one end. */
class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(args: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-net", import.meta.url, "--end", ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    children.add(this);
  }

  /** The next line that it says. */
  async next(): Promise<unknown> {
    const { done, value } = await this.#lines.read();
    if (done) throw new Error("Cannot go on: the other process has ended");
    return JSON.parse(value);
  }

  stop(): void {
    this.#process.kill("SIGSTOP");
  }

  goOn(): void {
    this.#process.kill("SIGCONT");
  }

  kill(): void {
    children.delete(this);
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#lines.cancel();
    await this.#process.status;
  }
}

/** What the process does that is stopped. */
async function beOneEnd([who, endpoint, messages, seed]: string[]): Promise<void> {
  const end = new Exchange({ messages: Number(messages), seed: Number(seed) });
  if (who === "client") await end.run(await connect(endpoint, { session: SESSION }));
  else {
    const served = Promise.withResolvers<void>();
    const server = await listen(
      "tcp://127.0.0.1:0",
      { session: SESSION },
      async (connection) => served.resolve(void await end.run(connection)),
    );
    console.log(JSON.stringify({ endpoint: server.endpoints[0] }));
    await served.promise;
    await server.close();
  }
  console.log(JSON.stringify({ received: end.received, wrongs: end.wrongs }));
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["messages", "cuts", "seed"],
    boolean: ["quick", "end"],
  });
  if (args.end) return await beOneEnd(args._.map(String));
  const options = {
    messages: Number(args.messages ?? (args.quick ? 20_000 : 1_000_000)),
    cuts: Number(args.cuts ?? (args.quick ? 20 : 500)),
    seed: Number(args.seed ?? 1),
  };
  if (!Object.values(options).every((value) => Number.isSafeInteger(value) && value >= 0)) {
    console.error(
      "usage: deno run -A tests/soak/sessions.ts [--messages N] [--cuts N] [--seed N] [--quick]",
    );
    Deno.exit(2);
  }
  setTimeout(() => {
    console.error(`Cannot end: something still waits after ${MAX_TIME / 60_000} minutes`);
    for (const child of children) child.kill();
    Deno.exit(1);
  }, MAX_TIME);
  const wrongs: string[] = [];
  const tell = (what: string, result: SoakResult | FreezeResult) => {
    console.log(what, JSON.stringify({ ...options, ...result }, null, 2));
    wrongs.push(...result.wrongs);
  };
  tell("cut", await soak(options));
  const some = { messages: Math.ceil(options.messages / 5), seed: options.seed };
  for (const who of ["client", "server"] as const) {
    tell("frozen", await freeze(who, some, args.quick ? 1 : 5));
  }
  for (const wrong of wrongs) console.error(wrong);
  Deno.exit(wrongs.length > 0 ? 1 : 0);
}

if (import.meta.main) await main();
