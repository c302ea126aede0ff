/** The client's `bench`: how fast an echo server answers. */

import { format as formatBytes } from "@std/fmt/bytes";
import type { Connection } from "../../connection.ts";
import { ConnectionLostError, ProtocolError } from "../../errors.ts";
import { EXIT } from "../shared/options.ts";
import { type ClientContext, closeAndExplain } from "./context.ts";
import { explained, refusalIn } from "./refusal.ts";

/** How many round trips are measured for the latency. */
const LATENCY_SAMPLES = 1_000;
/** The peer has ended. The connection tells how. */
const ENDED = new Error("the peer has ended");

/**
 * Sends `--count` messages of `--size` bytes, receives the echoes, and prints rates and latency.
 */
export async function bench(context: ClientContext): Promise<number> {
  const { options, reporter, host: { stdout } } = context;
  const count = options.number("count") ?? 100_000;
  const size = options.number("size") ?? 32;
  const connection = await context.connect();
  const echoes = new Echoes(context, connection, new Uint8Array(size).fill(0x61));
  let latencies: number[], seconds: number;
  try {
    latencies = await echoes.latencies(Math.min(count, LATENCY_SAMPLES));
    seconds = await echoes.seconds(count);
  } catch (error) {
    const state = `after ${echoes.count} echoes`;
    throw await closeAndExplain(context, connection, {
      error: error === ENDED ? undefined : error,
      state,
    });
  }
  await connection.close();
  const rate = count / seconds;
  const [p50, p99] = [0.5, 0.99].map((q) => latencies[Math.floor((latencies.length - 1) * q)]);
  if (options.on("json")) {
    reporter.event({ event: "bench", count, size, seconds, rate, p50, p99 });
  } else {
    stdout.write(
      `${count} messages of ${size} bytes echoed in ${seconds.toFixed(3)} s: ` +
        `${Math.round(rate)} messages/s, ${formatBytes(rate * size)}/s each way\n` +
        `round trip one at a time: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms\n`,
    );
  }
  return EXIT.done;
}

/**
 * Sends a message and receives its echoes. If the peer ends before the last echo, `ENDED` is
 * thrown.
 */
class Echoes {
  /** How many echoes came. */
  count = 0;
  readonly #context: ClientContext;
  readonly #connection: Connection;
  readonly #message: Uint8Array;

  constructor(context: ClientContext, connection: Connection, message: Uint8Array) {
    this.#context = context;
    this.#connection = connection;
    this.#message = message;
  }

  /** The times of single round trips in milliseconds, the shortest first. */
  async latencies(samples: number): Promise<number[]> {
    const times: number[] = [];
    for (let i = 0; i < samples; i++) {
      const startedAt = performance.now();
      await this.#connection.send(this.#message);
      const echo = await this.#connection.receive();
      if (echo === undefined) throw ENDED;
      this.#check(echo);
      times.push(performance.now() - startedAt);
    }
    return times.sort((a, b) => a - b);
  }

  /**
   * The seconds that `count` messages take. As many messages are under way as the limits of both
   * ends allow.
   */
  async seconds(count: number): Promise<number> {
    const { reporter } = this.#context;
    const startedAt = performance.now();
    const sending = this.#sendAll(count);
    let left = count;
    const timer = setInterval(() => reporter.progress(1 - left / count), 200);
    try {
      for await (const batch of this.#connection.batches()) {
        for (const echo of batch) this.#check(echo);
        left -= batch.length;
        if (left <= 0) break;
      }
    } finally {
      clearInterval(timer);
      reporter.progress(1);
    }
    if (left > 0) throw ENDED;
    await sending;
    return (performance.now() - startedAt) / 1000;
  }

  async #sendAll(count: number): Promise<void> {
    try {
      for (let i = 0; i < count; i++) await this.#connection.send(this.#message);
    } catch {
      // The echoes will not come. `closed` tells why.
    }
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
    throw new ProtocolError(
      `the peer is no echo server: it answered ${size} bytes with ${echo.length}`,
    );
  }
}
