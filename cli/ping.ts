/** The client's `ping`. */

import { delay } from "@std/async/delay";
import type { Connection } from "../connection.ts";
import type { ClientContext } from "./context.ts";
import { EXIT } from "./options.ts";

const decoder = new TextDecoder();

/**
 * Sends `/ping TOKEN` and waits for a message with the token in it: an echo server sends the same
 * back, a chat server answers with a pong. Other messages are passed over.
 */
export async function ping(context: ClientContext): Promise<number> {
  const { options, reporter } = context;
  const count = options.number("count") ?? 4;
  const interval = options.number("interval") ?? 1_000;
  const timeout = Math.max(1, options.number("timeout") ?? 10_000);
  const connection = await context.connect();
  const times: number[] = [];
  for (let sequence = 1; sequence <= count && connection.state === "open"; sequence++) {
    const time = await roundTrip(connection, timeout);
    if (time === undefined) break;
    times.push(time);
    const line = `pong from ${connection.remote}: sequence ${sequence}, ${time.toFixed(3)} ms`;
    if (options.on("json")) reporter.event({ event: "pong", sequence, time });
    else console.log(line);
    if (sequence < count) await delay(interval, { signal: connection.signal }).catch(() => {});
  }
  const { error } = await connection.close();
  summarize(times, count, context);
  if (times.length < count && error !== undefined) throw error;
  return times.length === count ? EXIT.done : EXIT.lost;
}

/** The time until the answer, in milliseconds; undefined when the connection ends before. */
async function roundTrip(
  connection: Connection,
  timeout: number,
): Promise<number | undefined> {
  const token = crypto.randomUUID();
  const timer = setTimeout(
    () => connection.abort(new Error(`no pong from ${connection.remote} within ${timeout} ms`)),
    timeout,
  );
  const startedAt = performance.now();
  connection.send(`/ping ${token}`);
  try {
    for (let message; (message = await connection.receive()) !== undefined;) {
      if (decoder.decode(message).includes(token)) return performance.now() - startedAt;
    }
  } finally {
    clearTimeout(timer);
  }
}

function summarize(times: number[], count: number, { options, reporter }: ClientContext): void {
  const lost = count - times.length;
  if (times.length === 0) return;
  const min = Math.min(...times);
  const max = Math.max(...times);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  if (options.on("json")) {
    reporter.event({ event: "summary", sent: count, lost, min, mean, max });
  } else {
    const figures = [min, mean, max].map((time) => time.toFixed(3)).join("/");
    console.log(`${times.length} of ${count} answered, min/mean/max ${figures} ms`);
  }
}
