/** The short measurement: how fast one connection's messages come back from an echo server. */

import { format as formatBytes } from "@std/fmt/bytes";
import type { Connection } from "../../../connection.ts";
import { ConnectionLostError } from "../../../errors.ts";
import { type ClientContext, closeAndExplain } from "../context.ts";
import { explained, refusalIn } from "../refusal.ts";
import type { Figures } from "./compare.ts";
import { noEcho, silenceOf } from "./silence.ts";

/** How many round trips are measured for the latency. */
const LATENCY_SAMPLES = 1_000;
/** The peer has ended. The connection tells how. */
const ENDED = new Error("the peer has ended");

/**
 * Sends `--count` messages of `--size` bytes, receives the echoes, and prints rates and latency. If the
 * user ends it, it prints what it has found by then. Resolves to the figures.
 */
export async function benchShortly(context: ClientContext): Promise<Figures> {
  const { options, stopped } = context;
  const count = options.number("count") ?? 100_000;
  const size = options.number("size") ?? 32;
  const connection = await context.connect();
  const echoes = new Echoes(context, connection, new Uint8Array(size).fill(0x61));
  try {
    await echoes.measureLatency(Math.min(count, LATENCY_SAMPLES));
    await echoes.measureRate(count);
  } catch (error) {
    if (!stopped.aborted || echoes.latencies.length === 0) {
      throw await closeAndExplain(context, connection, {
        error: error === ENDED ? undefined : error,
        state: `after ${echoes.count} echoes`,
      });
    }
  }
  await connection.close();
  const { rated, seconds } = echoes;
  const rate = seconds === 0 ? 0 : rated / seconds;
  const latencies = echoes.latencies.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((q) => latencies[Math.floor((latencies.length - 1) * q)]);
  const figures = { event: "bench", count: rated, size, seconds, rate, p50, p99 };
  tell(stopped.aborted ? { ...figures, stopped: true as const } : figures, context);
  return figures;
}

/** What was found. */
interface Found {
  readonly event: string;
  readonly count: number;
  readonly size: number;
  readonly seconds: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** True if the user has ended it. */
  readonly stopped?: true;
}

function tell(found: Found, { options, reporter, host: { stdout } }: ClientContext): void {
  if (options.on("json")) return reporter.event({ ...found });
  const { count, size, seconds, rate, p50, p99 } = found;
  if (count > 0) {
    stdout.write(
      `${count} messages of ${size} bytes echoed in ${seconds.toFixed(3)} s: ` +
        `${Math.round(rate)} messages/s, ${formatBytes(rate * size)}/s each way\n`,
    );
  }
  stdout.write(
    `round trip one at a time: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms\n`,
  );
}

/**
 * Sends a message and receives its echoes. If the peer ends before the last echo, `ENDED` is
 * thrown.
 */
class Echoes {
  /** How many echoes came. */
  count = 0;
  /** The times of single round trips in milliseconds. */
  readonly latencies: number[] = [];
  /** How many echoes the rate was measured with. */
  rated = 0;
  /** The seconds that these took. */
  seconds = 0;
  readonly #context: ClientContext;
  readonly #connection: Connection;
  readonly #message: Uint8Array;

  constructor(context: ClientContext, connection: Connection, message: Uint8Array) {
    this.#context = context;
    this.#connection = connection;
    this.#message = message;
  }

  /** Makes single round trips, one after the other. */
  async measureLatency(samples: number): Promise<void> {
    using _watch = this.#watch();
    for (let i = 0; i < samples; i++) {
      const startedAt = performance.now();
      await this.#connection.send(this.#message);
      const echo = await this.#connection.receive();
      if (echo === undefined) throw ENDED;
      this.#check(echo);
      this.latencies.push(performance.now() - startedAt);
    }
  }

  /**
   * Measures how long `count` messages take. As many messages are under way as the limits of both
   * ends allow.
   */
  async measureRate(count: number): Promise<void> {
    const { reporter } = this.#context;
    using _watch = this.#watch();
    const startedAt = performance.now();
    const sending = this.#sendAll(count);
    const timer = setInterval(() => reporter.progress(this.rated / count), 200);
    try {
      for await (const batch of this.#connection.batches()) {
        for (const echo of batch) this.#check(echo);
        this.rated += batch.length;
        this.seconds = (performance.now() - startedAt) / 1000;
        if (this.rated >= count) break;
      }
    } finally {
      clearInterval(timer);
      reporter.progress(1);
    }
    if (this.rated < count) throw ENDED;
    await sending;
    this.seconds = (performance.now() - startedAt) / 1000;
  }

  async #sendAll(count: number): Promise<void> {
    try {
      for (let i = 0; i < count; i++) await this.#connection.send(this.#message);
    } catch {
      // The echoes will not come. `closed` tells why.
    }
  }

  /** Gives up when no echo comes for as long as `--timeout` says. */
  #watch(): Disposable {
    const timeout = this.#context.options.number("timeout") ?? 10_000;
    let [count, since] = [this.count, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      if (this.count > count) [count, since] = [this.count, now];
      if (now - since < timeout) return;
      const { stats: { bytesReceived } } = this.#connection;
      const silence = silenceOf(this.#context, { answers: count, bytesReceived, timeout });
      this.#connection.abort(new ConnectionLostError(silence));
    }, Math.min(timeout, 100));
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  #check(echo: Uint8Array): void {
    const size = this.#message.length;
    if (echo.length === size) {
      this.count++;
      return;
    }
    const refusal = this.count === 0 ? refusalIn(echo) : undefined;
    if (refusal !== undefined) {
      throw new ConnectionLostError(explained(refusal, this.#context));
    }
    throw noEcho(echo.length, size);
  }
}
