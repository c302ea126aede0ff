/** The client's `ping`. */

import { delay } from "@std/async/delay";
import type { Connection } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { deadlineOf } from "../../internal/time.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { type ClientContext, closeAndExplain, Hearing } from "./context.ts";

const decoder = new TextDecoder();

/**
 * Sends `/ping TOKEN` and waits for a message that contains the token. An echo server sends the
 * same message back, and a chat server answers with a pong. Other messages are ignored. With `--port` it
 * only connects, to each port of a range, with `--tls` it only looks at the certificates, and with
 * `--cluster` it asks a broker for the servers.
 */
export async function ping(context: ClientContext): Promise<number> {
  const { options, reporter, host: { stdout } } = context;
  if (options.text("cluster") !== undefined) {
    return await (await import("./servers.ts")).pingCluster(context);
  }
  const range = options.text("port");
  const special = range !== undefined ? "port" : options.on("tls") ? "tls" : undefined;
  if (special !== undefined && context.endpoints.length > 1) {
    throw new UsageError(`--${special} looks at one endpoint, but got ${context.endpoints.length}`);
  }
  if (range !== undefined) return await (await import("./ports.ts")).pingPorts(context, range);
  if (options.on("tls")) return await (await import("./certificates.ts")).pingTls(context);
  const count = options.number("count") ?? 4;
  const interval = options.number("interval") ?? 1_000;
  const timeout = options.number("timeout") ?? 10_000;
  const connection = await context.connect();
  const pinger = new Pinger(context, connection);
  const times: number[] = [];
  while (times.length < count) {
    const time = await pinger.roundTrip(timeout);
    if (time === undefined) break;
    const sequence = times.push(time);
    const line = `pong from ${connection.remote}: sequence ${sequence}, ${time.toFixed(3)} ms`;
    if (options.on("json")) reporter.event({ event: "pong", sequence, roundTripTime: time });
    else stdout.write(line + "\n");
    await stdout.flush();
    if (sequence === count) break;
    await Promise.race([
      delay(interval, { signal: connection.signal }).catch(() => {}),
      pinger.hearing.over,
    ]);
  }
  summarize(times, count, context);
  if (times.length < count) {
    const { refusal, error } = pinger.hearing;
    const state = `after ${times.length} of ${count} answers`;
    throw await closeAndExplain(context, connection, { refusal, error, state });
  }
  await connection.close();
  return EXIT.done;
}

/** Sends pings, and finds the answers among the peer's other messages. */
class Pinger {
  readonly hearing: Hearing;
  readonly #connection: Connection;
  #token: string | undefined;
  #answer = Promise.withResolvers<number>();

  constructor(context: ClientContext, connection: Connection) {
    this.#connection = connection;
    this.hearing = new Hearing(context, connection, { hear: (message) => this.#hear(message) });
  }

  /** The time until the answer, in milliseconds. Undefined if the connection ends before. */
  async roundTrip(timeout: number): Promise<number | undefined> {
    const connection = this.#connection;
    this.#token = crypto.randomUUID();
    this.#answer = Promise.withResolvers();
    const deadline = deadlineOf(timeout, () => {
      const state = `no pong from ${connection.remote} within ${timeout} ms`;
      connection.abort(new ConnectionLostError(state));
    });
    const startedAt = performance.now();
    connection.send(`/ping ${this.#token}`); // If it cannot be sent, nothing more is heard.
    const answeredAt = await Promise.race([this.#answer.promise, this.hearing.over]);
    deadline.clear();
    return answeredAt === undefined ? undefined : answeredAt - startedAt;
  }

  #hear(message: Uint8Array): void {
    if (this.#token === undefined || !decoder.decode(message).includes(this.#token)) return;
    this.#answer.resolve(performance.now());
  }
}

function summarize(
  times: number[],
  count: number,
  { options, reporter, host }: ClientContext,
): void {
  const lost = count - times.length;
  if (times.length === 0) return;
  const min = Math.min(...times);
  const max = Math.max(...times);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  if (options.on("json")) {
    reporter.event({ event: "summary", sent: count, lost, min, mean, max });
  } else {
    const figures = [min, mean, max].map((time) => time.toFixed(3)).join("/");
    host.stdout.write(`${times.length} of ${count} answered, min/mean/max ${figures} ms\n`);
  }
}
