/**
 * Requests over a session whose sockets are cut again and again: each is answered exactly once, with
 * its own answer, and handled exactly once.
 *
 * ```
 * deno run -A tests/soak/requests.ts [--requests N] [--cuts N] [--seed N]
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { connect } from "../../client.ts";
import { RequestError, type RequestPeer, requests } from "../../request.ts";
import { listen } from "../../server.ts";
import { CuttingProxy, randomOf } from "../support/cutting_proxy.ts";

/** How much to run. */
export interface SoakOptions {
  readonly requests: number;
  readonly cuts: number;
  readonly seed: number;
}

/** What came of it. */
export interface SoakResult {
  /** Requests that got their own answer, streams that got all of their items in order. */
  readonly answered: number;
  /** Requests that failed, by the reason stated: `refused` by the handler, or `cancelled`. */
  readonly failed: Readonly<Record<string, number>>;
  readonly cuts: number;
  readonly resumes: number;
  readonly bytes: number;
  readonly seconds: number;
  /** What should not be; all is well when it is empty. At most a few are kept. */
  readonly wrongs: readonly string[];
}

const IN_FLIGHT = 1_000;
/** About what a request and its answer take on the wire, the session's frames included. */
const BYTES_EACH = 48;
const KINDS = ["value", "later", "bytes", "refused", "stream", "cancelled"] as const;

/** Runs it. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const run = new Run(options);
  await using server = await listen(
    "tcp://127.0.0.1:0",
    { session: true },
    async (connection) => void await requests(connection, run.handlers).closed,
  );
  await using proxy = new CuttingProxy({
    port: Number(new URL(server.endpoints[0]).port),
    seed: options.seed,
    cuts: options.cuts,
    meanBytes: options.requests * BYTES_EACH / (options.cuts + 1),
  });
  const startedAt = performance.now();
  const session = await connect(`tcp://127.0.0.1:${proxy.port}`, { session: { retry: () => 1 } });
  const peer = requests(session, {}, { maxRequests: IN_FLIGHT });
  await run.ask(peer);
  const seconds = (performance.now() - startedAt) / 1000;
  const { resumes } = session.stats;
  run.look(peer);
  await peer.close();
  const { cuts, bytes } = proxy;
  if (cuts < options.cuts) run.wrong(`only ${cuts} of ${options.cuts} cuts were made`);
  if (resumes === 0 && cuts > 0) run.wrong("the session never went on over another socket");
  const { answered, failed, wrongs } = run;
  return { answered, failed, cuts, resumes, bytes, seconds, wrongs };
}

/** Who asks, who answers, and the books about both. */
class Run {
  answered = 0;
  readonly failed: Record<string, number> = {};
  readonly wrongs: string[] = [];
  /** How often each was handled, and settled. */
  readonly #handled: Uint8Array;
  readonly #settled: Uint8Array;
  readonly #options: SoakOptions;
  readonly #random: () => number;
  #next = 0;

  readonly handlers = {
    value: (n: number) => this.#handle(n, 7 * n),
    later: async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      return this.#handle(n, 7 * n);
    },
    bytes: (bytes: Uint8Array) => this.#handle(numberOf(bytes), bytes),
    refused: (n: number) => {
      this.#handle(n, undefined);
      throw new RequestError("refused", `Cannot take ${n}`);
    },
    stream: (n: number) => this.#handle(n, countFrom(n)),
    cancelled: async (n: number, { signal }: { signal: AbortSignal }) => {
      this.#handle(n, undefined);
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
    },
  };

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = randomOf(~options.seed);
    this.#handled = new Uint8Array(options.requests);
    this.#settled = new Uint8Array(options.requests);
  }

  /** Keeps so many requests going until all have settled. */
  async ask(peer: RequestPeer): Promise<void> {
    const askOn = async () => {
      while (this.#next < this.#options.requests) await this.#askOne(peer, this.#next++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, askOn));
  }

  async #askOne(peer: RequestPeer, n: number): Promise<void> {
    // Most are values; the others take more than one message, or end otherwise.
    const draw = this.#random();
    const kind = draw < 0.8 ? "value" : KINDS[Math.floor((draw - 0.8) / 0.2 * KINDS.length)];
    try {
      const isRight = await this.#isRight(peer, kind, n);
      if (isRight) this.answered++;
      else this.wrong(`request ${n} (${kind}) got another answer`);
    } catch (error) {
      const reason = error instanceof RequestError ? error.code : String(error);
      if (reason !== kind) this.wrong(`request ${n} (${kind}) failed: ${error}`);
      this.failed[reason] = (this.failed[reason] ?? 0) + 1;
    }
    this.#settled[n]++;
  }

  async #isRight(peer: RequestPeer, kind: typeof KINDS[number], n: number): Promise<boolean> {
    switch (kind) {
      case "bytes":
        return numberOf(await peer.request(kind, bytesOf(n, this.#random()))) === n;
      case "stream": {
        const items = await Array.fromAsync(peer.stream(kind, n));
        return items.length === n % 100 && items.every((item, i) => item === n + i);
      }
      case "cancelled": {
        const controller = new AbortController();
        const answer = peer.request(kind, n, { signal: controller.signal });
        setTimeout(() => controller.abort("cancelled"), 5 * this.#random());
        return await answer === undefined;
      }
      default:
        return await peer.request(kind, n) === 7 * n;
    }
  }

  #handle<Result>(n: number, result: Result): Result {
    this.#handled[n]++;
    return result;
  }

  /** Looks whether the books agree. */
  look({ stats }: RequestPeer): void {
    const { requests } = this.#options;
    for (let n = 0; n < requests; n++) {
      if (this.#handled[n] > 1) this.wrong(`request ${n} was handled ${this.#handled[n]} times`);
      if (this.#settled[n] !== 1) this.wrong(`request ${n} settled ${this.#settled[n]} times`);
    }
    const failed = Object.values(this.failed).reduce((sum, count) => sum + count, 0);
    if (this.answered + failed !== requests) {
      this.wrong(`${this.answered} answered and ${failed} failed are not ${requests}`);
    }
    if (stats.waiting > 0) this.wrong(`${stats.waiting} requests wait for nobody`);
  }

  /** Keeps a few. */
  wrong(what: string): void {
    if (this.wrongs.length < 20) this.wrongs.push(what);
  }
}

async function* countFrom(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n % 100; i++) yield n + i;
}

/** Some bytes that begin with a number. */
function bytesOf(n: number, draw: number): Uint8Array {
  const bytes = new Uint8Array(4 + Math.floor(draw * 200));
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: ["requests", "cuts", "seed"] });
  const options = {
    requests: Number(args.requests ?? 2_000_000),
    cuts: Number(args.cuts ?? 500),
    seed: Number(args.seed ?? 1),
  };
  if (!Object.values(options).every(Number.isSafeInteger)) {
    console.error("usage: deno run -A tests/soak/requests.ts [--requests N] [--cuts N] [--seed N]");
    Deno.exit(2);
  }
  const { wrongs, failed, ...result } = await soak(options);
  const perSecond = Math.round(options.requests / result.seconds);
  const memory = Math.round(Deno.memoryUsage().rss / 2 ** 20);
  console.log(
    JSON.stringify({ ...options, ...result, failed, perSecond, rssMiB: memory }, null, 2),
  );
  for (const wrong of wrongs) console.error(wrong);
  Deno.exit(wrongs.length > 0 ? 1 : 0);
}
