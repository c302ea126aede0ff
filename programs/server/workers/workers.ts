/** `--workers N`: N threads that serve at the same ports, each with a core of its own. */

import { delay } from "@std/async/delay";
import { Switchboard } from "../../../backplane.ts";
import { ChatOrder } from "../../../chat/threads/threads.ts";
import { listen, type ServerStats, SharedCounts } from "../../../listen/listen.ts";
import type { TlsListenOptions } from "../../../transport.ts";
import type { LogFile } from "../../shared/log_file.ts";
import type { ProgramContext } from "../../shared/program.ts";
import { messageOf } from "../../shared/report.ts";
import { secretFrom } from "../../shared/secrets.ts";
import { listenOptions } from "../listening.ts";
import type { Prepared } from "../preparing.ts";
import type { Serving } from "../serving.ts";
import { type Beginning, given, type GivenOptions, type OutputName } from "./items.ts";
import { past, sumOf } from "./sum.ts";
import { ServerWorker } from "./worker.ts";

/** Waiting before a worker is started again that has ended soon after its start, in milliseconds. */
const MIN_DELAY = 1_000;
const MAX_DELAY = 30_000;
/** One that ends earlier has ended soon. */
const SOON = 10_000;

/** What all workers have together. */
interface Together {
  readonly context: ProgramContext;
  readonly prepared: Omit<Prepared, "reload">;
  readonly options: GivenOptions;
  readonly ids: SharedArrayBuffer;
  readonly counts: SharedArrayBuffer;
  readonly log: LogFile | undefined;
  readonly board: Switchboard;
  readonly order: ChatOrder;
  readonly stopping: AbortController;
}

/** The workers of a server, and what they have together. */
export class Workers implements Serving {
  readonly endpoints: readonly string[];
  readonly #seats: readonly Seat[];
  readonly #together: Together;
  #state: "open" | "closed" = "open";

  private constructor(together: Together, seats: readonly Seat[], endpoints: readonly string[]) {
    this.#together = together;
    this.#seats = seats;
    this.endpoints = endpoints;
  }

  /**
   * Starts so many workers. The first one chooses the ports that are not given.
   *
   * @throws {ListenError} {Error} if one of them cannot begin.
   */
  static async start(
    context: ProgramContext,
    prepared: Prepared,
    count: number,
    log?: LogFile,
  ): Promise<Workers> {
    const { reload: _, ...rest } = prepared;
    await requirePorts(context, prepared);
    const together: Together = {
      context,
      prepared: rest,
      options: await withSecrets(context),
      ids: new SharedArrayBuffer(8),
      counts: SharedCounts.memory(count),
      log,
      board: new Switchboard(),
      order: new ChatOrder(),
      stopping: new AbortController(),
    };
    const seats = Array.from({ length: count }, (_, index) => new Seat(index, together));
    try {
      const endpoints = await seats[0].start(prepared.endpoints);
      await Promise.all(seats.slice(1).map((seat) => seat.start(endpoints)));
      return new Workers(together, seats, endpoints);
    } catch (error) {
      for (const seat of seats) seat.end();
      release(together);
      throw error;
    }
  }

  /** The counts of all workers, also of those that have ended. */
  async stats(): Promise<ServerStats> {
    return sumOf((await Promise.all(this.#seats.map((seat) => seat.stats()))).flat());
  }

  async replaceCertificates(tls: TlsListenOptions): Promise<void> {
    (await import("../../../transport/tls.ts")).fingerprintOfPair(tls); // It throws for wrong ones.
    await Promise.all(this.#seats.map((seat) => seat.replaceCertificates(tls)));
  }

  drain(reason: string): void {
    for (const { worker } of this.#seats) worker?.drain(reason);
  }

  async close(grace: number): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#together.stopping.abort();
    await Promise.all(this.#seats.map((seat) => seat.close(grace)));
    release(this.#together);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0);
  }
}

/** The place of one worker, which has another one after it has ended. */
class Seat {
  worker: ServerWorker | undefined;
  readonly #number: number;
  readonly #counts: SharedCounts;
  readonly #together: Together;
  /** The counts of workers that have ended here. */
  #past: ServerStats | undefined;
  /** Gives free what the worker has in this thread. */
  #leave = () => {};
  #endpoints: readonly string[] = [];
  #tls: TlsListenOptions | undefined;
  #delay = 0;
  #startedAt = 0;
  #restart: Promise<void> = Promise.resolve();

  constructor(index: number, together: Together) {
    this.#number = index + 1;
    this.#together = together;
    this.#counts = new SharedCounts(together.counts, index);
    this.#tls = together.prepared.tls;
  }

  /** Starts a worker here. Gives its endpoints. */
  async start(endpoints: readonly string[]): Promise<readonly string[]> {
    const { prepared, options, ids, counts, board, order, context: { host } } = this.#together;
    const thread = board.add();
    const place = order.add(() => this.worker?.giveUp("it does not take what happens in the chat"));
    this.#leave = () => {
      thread.remove();
      place.remove();
      this.#counts.clear();
    };
    const beginning: Beginning = {
      do: "begin",
      worker: this.#number,
      options,
      prepared: { ...prepared, endpoints, tls: this.#tls },
      terminals: { stdout: host.stdout.isTerminal, stderr: host.stderr.isTerminal },
      ids,
      counts,
      backplane: thread.port,
      chat: place.port,
    };
    const { worker, endpoints: open } = await ServerWorker.start(beginning, {
      output: (to, bytes) => this.#output(to, bytes),
      ended: (message) => this.#ended(message),
    });
    if (this.#together.stopping.signal.aborted) worker.terminate();
    this.worker = worker;
    this.#startedAt = performance.now();
    return this.#endpoints = open;
  }

  /** The counts of the worker that is here, and of those that were. */
  async stats(): Promise<ServerStats[]> {
    const stats = await this.worker?.stats();
    return [stats, this.#past].filter((each) => each !== undefined);
  }

  async replaceCertificates(tls: TlsListenOptions): Promise<void> {
    this.#tls = tls;
    await this.worker?.renew(tls);
  }

  async close(grace: number): Promise<void> {
    await this.#restart;
    await this.worker?.close(grace);
    this.#leave();
  }

  /** Ends it at once. */
  end(): void {
    this.worker?.terminate();
    this.#leave();
  }

  /** The worker has ended by an error. Another one takes its place. */
  #ended(error: string): void {
    const { reporter } = this.#together.context;
    const connections = this.#counts.own;
    const last = this.worker?.lastStats;
    if (last !== undefined) this.#past = sumOf([past(last), ...this.#past ? [this.#past] : []]);
    this.worker = undefined;
    this.#leave();
    const worker = this.#number;
    reporter.event(
      { event: "worker-ended", worker, error, connections },
      `worker ${worker} has ended: ${error}; it had ${connections} connections, and is started again`,
      "error",
    );
    this.#restart = this.#again();
  }

  /** Starts a worker again, until one listens or the server closes. */
  async #again(): Promise<void> {
    const { context: { reporter }, stopping: { signal } } = this.#together;
    const wasSoon = performance.now() - this.#startedAt < SOON;
    this.#delay = wasSoon ? Math.min(Math.max(2 * this.#delay, MIN_DELAY), MAX_DELAY) : 0;
    while (!signal.aborted) {
      await delay(this.#delay, { signal }).catch(() => {}); // The server closes.
      if (signal.aborted) return;
      const worker = this.#number;
      try {
        await this.start(this.#endpoints);
        return reporter.event({ event: "worker-started", worker }, `worker ${worker} serves again`);
      } catch (error) {
        this.#leave();
        reporter.error(`worker ${worker} cannot start: ${messageOf(error)}`);
        this.#delay = Math.min(Math.max(2 * this.#delay, MIN_DELAY), MAX_DELAY);
      }
    }
  }

  async #output(to: OutputName, bytes: Uint8Array): Promise<void> {
    const { log, context: { host } } = this.#together;
    if (to === "log") return await log?.write(bytes);
    host[to].write(bytes);
    await Promise.allSettled([host[to].room()]);
  }
}

function release({ board, order }: Together): void {
  board[Symbol.dispose]();
  order[Symbol.dispose]();
}

/**
 * Looks whether another server has the ports. Where all share them, the system would not say so, and
 * peers would come to one or the other.
 */
async function requirePorts(context: ProgramContext, { endpoints, limits, tls }: Prepared) {
  if (context.options.on("reuse-port")) return;
  const service = { handle: () => Promise.resolve() };
  const options = { ...listenOptions(context, service, limits), tls };
  await using _ = await listen(endpoints, options, (peer) => peer.abort());
}

/** The options for workers: with secrets in the place of their files, which are read once. */
async function withSecrets(context: ProgramContext): Promise<GivenOptions> {
  const operators = await secretFrom(context, "operator-token");
  const cluster = await secretFrom(context, "cluster-token");
  return given(context.options, {
    "operator-token": operators,
    "operator-token-file": undefined,
    "cluster-token": cluster,
    "cluster-token-file": undefined,
    token: undefined,
    "token-file": undefined,
  });
}
