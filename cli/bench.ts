/** The client's `bench`: how fast an echo server answers. */

import { format as formatBytes } from "@std/fmt/bytes";
import type { Connection } from "../connection.ts";
import { ConnectionLostError, ProtocolError } from "../errors.ts";
import type { ClientContext } from "./context.ts";
import { EXIT, UsageError } from "./options.ts";
import type { Reporter } from "./report.ts";

/** Round trips that the latency is taken from. */
const LATENCY_SAMPLES = 1_000;

/** Sends `--count` messages of `--size` bytes, takes the echoes, and prints rates and latency. */
export async function bench(context: ClientContext): Promise<number> {
  const { options, reporter } = context;
  const count = options.number("count") ?? 100_000;
  const size = options.number("size") ?? 32;
  if (count < 1) throw new UsageError("--count 0: bench needs at least one message");
  const connection = await context.connect();
  const message = new Uint8Array(size).fill(0x61);

  const latencies = await measureLatency(connection, message, Math.min(count, LATENCY_SAMPLES));
  const seconds = await measureRate(connection, message, count, reporter);
  const rate = count / seconds;
  await connection.close();
  const [p50, p99] = [0.5, 0.99].map((q) => latencies[Math.floor((latencies.length - 1) * q)]);
  if (options.on("json")) {
    reporter.event({ event: "bench", count, size, seconds, rate, p50, p99 });
  } else {
    console.log(
      `${count} messages of ${size} bytes echoed in ${seconds.toFixed(3)} s: ` +
        `${Math.round(rate)} messages/s, ${formatBytes(rate * size)}/s each way`,
    );
    console.log(`round trip one at a time: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
  }
  return EXIT.done;
}

async function measureLatency(
  connection: Connection,
  message: Uint8Array,
  samples: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    const startedAt = performance.now();
    await connection.send(message);
    checkEcho(await connection.receive(), message.length);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

/** Seconds for so many messages, as many under way at a time as the limits of both ends allow. */
async function measureRate(
  connection: Connection,
  message: Uint8Array,
  count: number,
  reporter: Reporter,
): Promise<number> {
  const startedAt = performance.now();
  const sending = sendAll(connection, message, count);
  let left = count;
  const timer = setInterval(() => reporter.progress(1 - left / count), 200);
  for await (const batch of connection.batches()) {
    for (const echo of batch) checkEcho(echo, message.length);
    left -= batch.length;
    if (left <= 0) break;
  }
  clearInterval(timer);
  reporter.progress(1);
  if (left > 0) throw new ConnectionLostError(`the peer closed, ${left} echoes are missing`);
  await sending;
  return (performance.now() - startedAt) / 1000;
}

async function sendAll(connection: Connection, message: Uint8Array, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await connection.send(message);
}

function checkEcho(echo: Uint8Array | undefined, size: number): void {
  if (echo?.length !== size) {
    throw new ProtocolError(
      `the peer is no echo server: it ${
        echo === undefined ? "closed" : `answered ${size} bytes with ${echo.length}`
      }`,
    );
  }
}
