/** A log that many processes write and read, in one order for all of them: a stream of JetStream. */

import { delay } from "@std/async/delay";
import type { JetStreamClient } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { ConnectError } from "../../errors.ts";
import { reasonOf } from "../../internal/reason.ts";
import { connectToNats } from "../connecting.ts";
import { jetstreamLibrary } from "../libraries.ts";
import { type NatsOptions, resolveOptions } from "../options.ts";
import { type LogEntry, LogReader } from "./reader.ts";
import { LogStream, type SavedState } from "./stream.ts";

export type { LogEntry } from "./reader.ts";

/** How often the broker is asked whether it is there: so that a frozen one is noticed within 6 s. */
const PING_INTERVAL = 2_000;
/** How long the broker may take to keep one entry before it is sent again, in milliseconds. */
const KEEP_TIMEOUT = 2_000;
/** Why an entry was not kept, when nothing came within that time. */
const NOT_KEPT = "the broker does not answer: it is cut off, frozen, or has a full disk";
/** Said of a broker that was started without its files, or lost what was not on its disk yet. */
const CUT = "the broker has lost entries that were read before: start this server again";
/** How long brokers in a cluster may take to find together at the start, in milliseconds. */
const GATHERING_TIME = 30_000;
/** JetStream's code for a disk that has not so much room. */
const FULL = 10047;
/** How long to wait after an attempt that was refused, in milliseconds. */
const RETRY_DELAY = 250;

/** Options of a log. */
export interface LogOptions extends Omit<NatsOptions, "maxWaitingBytes"> {
  /** How many bytes the broker keeps. Beyond it, the oldest are forgotten. */
  maxLogBytes: number;
}

/** Who uses a log. It is told what is read, and what happens. */
export interface LogOwner {
  /** The next entry. */
  entry(entry: LogEntry): void;
  /** A message of a process that uses the log, perhaps of this one. It is not kept. */
  beat(bytes: Uint8Array): void;
  /** The broker was lost, or is back. */
  connected(isConnected: boolean): void;
}

/** One log. */
export class Log implements AsyncDisposable {
  /** Whether the broker has said that it does not keep it, and not only said nothing. */
  isRefused = false;
  /** How long the broker took to keep the last entry, in milliseconds. */
  roundTripTime: number | undefined;
  /** How often the broker was reached again. */
  reconnects = 0;

  readonly #nats: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #stream: LogStream;
  #owner: LogOwner | undefined;
  #problem: string | undefined;
  readonly #beats: string;
  #reader: LogReader | undefined;
  #state: "connected" | "away" | "closed" = "connected";
  /** Resolves when the state changes. */
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(
    nats: NatsConnection,
    client: JetStreamClient,
    stream: LogStream,
    cluster: string,
  ) {
    this.#nats = nats;
    this.#client = client;
    this.#stream = stream;
    this.#beats = `lengthwise.${cluster}.beats`;
    nats.subscribe(this.#beats, {
      callback: (error, { data }) => {
        if (error === null) this.#owner?.beat(data);
      },
    });
    this.#watch();
  }

  /**
   * Connects to a broker, and opens its log.
   *
   * @throws {ConnectError} if no broker answers, it refuses who asks, has no JetStream, or cannot keep
   * the log.
   */
  static async open({ maxLogBytes, ...options }: LogOptions): Promise<Log> {
    const resolved = resolveOptions({ pingInterval: PING_INTERVAL, ...options });
    const { cluster } = resolved;
    const nats = await connectToNats(resolved, { noEcho: false });
    try {
      const { jetstream, jetstreamManager } = await jetstreamLibrary();
      const isClustered = nats.info?.cluster !== undefined;
      const manager = await patiently(isClustered, () => jetstreamManager(nats)).catch((cause) => {
        const hint = cause.name === "JetStreamNotEnabled"
          ? ". The line `jetstream {}` in its configuration, or its option -js, turns JetStream on"
          : isClustered
          ? ". More than half of its brokers must be there"
          : "";
        const reason = `Cannot use NATS at ${nats.getServer()} for a cluster: ${reasonOf(cause)}`;
        throw new ConnectError(reason + hint, { cause });
      });
      const stream = await patiently(isClustered, () => {
        return LogStream.open(manager, { cluster, maxBytes: maxLogBytes, isClustered });
      });
      return new Log(nats, jetstream(nats), stream, cluster);
    } catch (error) {
      await nats.close();
      throw error;
    }
  }

  /** How it is now. `broker` is its address, `HOST:PORT`. */
  get stats() {
    const { roundTripTime, reconnects } = this;
    const gaps = this.#reader?.restarts ?? 0;
    return { broker: this.#nats.getServer(), roundTripTime, reconnects, gaps };
  }

  /** Why the broker does not keep the entry that is tried now, or has no use for one. */
  get problem(): string | undefined {
    return this.isCut ? CUT : this.#problem;
  }

  /** Whether the broker has surely lost entries that were read. */
  get isCut(): boolean {
    return this.#reader?.isCut ?? false;
  }

  /** Whether the broker is there. */
  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** The largest entry that the broker takes, in bytes, with some room for its head. */
  get maxBytes(): number {
    return (this.#nats.info?.max_payload ?? 1024 * 1024) - 1024;
  }

  /**
   * The state that was written down, from which on the log is to be read.
   *
   * @throws {ConnectError} if it cannot be read.
   */
  async load(): Promise<SavedState | undefined> {
    return await this.#look(() => this.#stream.load());
  }

  /**
   * The number of the last entry, or 0.
   *
   * @throws {ConnectError} if it cannot be read.
   */
  async last(): Promise<number> {
    return await this.#look(() => this.#stream.last());
  }

  /** Hands the entries after a number to an owner, from now on. */
  read(after: number, owner: LogOwner): void {
    this.#owner = owner;
    this.#reader = new LogReader(this.#nats, this.#stream, after, (entry) => {
      owner.entry(entry);
    });
  }

  /**
   * Puts an entry into the log: tries again until the broker has it, or `signal` is aborted. With the
   * same `id`, the broker keeps it once.
   */
  async append(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#state !== "closed") {
      const changed = this.#changed.promise;
      if (this.#state === "connected" && !this.#reader?.isLost) {
        const start = performance.now();
        const kept = this.#publish(this.#stream.entries, bytes, id).then(
          () => undefined,
          (error) => {
            // Those of JetStream have a number.
            this.isRefused = Number.isInteger(error?.code);
            return error?.name === "TimeoutError" ? NOT_KEPT : reasonOf(error);
          },
        );
        // What was sent before the broker was lost is not answered: it is sent again at once.
        const problem = await Promise.race([kept, changed.then(() => "the broker was lost")]);
        this.#problem = problem;
        if (problem === undefined) {
          this.isRefused = false;
          this.roundTripTime = performance.now() - start;
          return;
        }
      }
      await this.#pause(signal, changed);
    }
  }

  /** Tells all processes that use the log something, which is not kept. */
  beat(bytes: Uint8Array): void {
    if (this.#state === "connected") this.#nats.publish(this.#beats, bytes);
  }

  /** Writes down the state as of an entry, for those who come later. It fails if the broker is lost. */
  async save(saved: SavedState): Promise<void> {
    await this.#stream.save(saved, (subject, bytes) => this.#publish(subject, bytes));
  }

  /** Leaves the broker. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#changed.resolve();
    this.#reader?.close();
    await this.#nats.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Looks into the stream. Brokers in a cluster that have just made it may not answer yet. */
  async #look<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#nats.info?.cluster !== undefined, act);
    } catch (cause) {
      if (cause instanceof ConnectError) throw cause;
      const { name } = this.#stream;
      const reason = `Cannot read stream ${name} of NATS at ${this.#nats.getServer()}: `;
      throw new ConnectError(reason + reasonOf(cause), { cause });
    }
  }

  async #publish(subject: string, bytes: Uint8Array, msgID?: string): Promise<number> {
    const options = { timeout: KEEP_TIMEOUT, ...(msgID === undefined ? {} : { msgID }) };
    return (await this.#client.publish(subject, bytes, options)).seq;
  }

  /** Waits until the broker is lost or back, the signal is aborted, or a moment has passed. */
  async #pause(signal: AbortSignal, changed: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, RETRY_DELAY);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([promise, changed]);
    clearTimeout(timer);
  }

  /** Follows what happens to the connection, until it is closed. */
  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (this.#state === "closed") return;
      if (status.type === "disconnect") this.#become("away");
      else if (status.type === "reconnect") this.#become("connected");
      // A broker that will go says so before it does: another one takes its place.
      else if (status.type === "ldm" && this.#nats.getServers().length > 1) this.#nats.reconnect();
    }
  }

  #become(state: "connected" | "away"): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === "connected") {
      this.reconnects++;
      this.#reader?.start();
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#owner?.connected(state === "connected");
  }
}

/**
 * Tries again for a while what brokers in a cluster cannot do yet, because they have not found together.
 * That JetStream is off, or that there is no room, does not change by waiting.
 */
async function patiently<T>(isClustered: boolean, act: () => Promise<T>): Promise<T> {
  for (const start = performance.now();;) {
    try {
      return await act();
    } catch (error) {
      const { name, cause } = error as Error;
      const isFinal = name === "JetStreamNotEnabled" ||
        (cause as { code?: number })?.code === FULL ||
        error instanceof ConnectError && cause === undefined; // What is there cannot be used.
      const isLate = performance.now() - start > GATHERING_TIME;
      if (!isClustered || isFinal || isLate) throw error;
      await delay(RETRY_DELAY);
    }
  }
}
