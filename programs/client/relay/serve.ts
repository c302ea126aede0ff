/** Serves a relay: each peer that comes is joined with a connection of its own to the target. */

import type { CloseInfo, Connection } from "../../../connection.ts";
import type { Transport } from "../../../transport.ts";
import { EXIT, UsageError } from "../../shared/options.ts";
import { OutputError } from "../../shared/output.ts";
import { exitCodeOf } from "../../shared/program.ts";
import { makeReporter, messageOf, type Reporter } from "../../shared/report.ts";
import type { ToolContext } from "../context.ts";
import { RecordingError } from "../recording/recorder.ts";
import { type Dial, diallingEnd, listeningEnd } from "./ends.ts";
import { type Eyes, join } from "./join.ts";

/** What a command adds to a relay. */
export interface RelayOptions {
  /** Wraps the transports at both ends. */
  readonly through?: (transport: Transport) => Transport;
  /** How much later messages pass, in milliseconds. */
  readonly delay?: number;
  /** Called with the endpoints, with real ports and framings, before anybody is let in. */
  start?(listen: string, target: string): void;
  /** Makes who looks on at one pair of connections. */
  eyes?(pair: Pair): Eyes | undefined;
  /** Called when a pair has closed, with the error in words if there was one. */
  closed?(id: number, error: string | undefined): void;
}

/** Two connections that are joined. */
export interface Pair {
  /** A number, from 1. */
  readonly id: number;
  /** The peer that came. */
  readonly first: Connection;
  /** The target. */
  readonly second: Connection;
}

/** The context of a command that runs for long: what it tells may be dropped if nobody reads it. */
export function longRunning(context: ToolContext): ToolContext {
  const { options, host } = context;
  const [json, quiet] = [options.on("json"), options.on("quiet")];
  return { ...context, reporter: makeReporter(host, { json, quiet, mayDrop: true }) };
}

/**
 * Listens at the first operand, and joins each connection with one to the second, until a signal
 * comes. With `--once` it serves one connection, and its end tells the exit code.
 */
export async function serveRelay(tool: ToolContext, more: RelayOptions = {}): Promise<number> {
  const context = longRunning(tool);
  const { operands, options, stopped } = context;
  const [from, to, ...rest] = operands;
  if (to === undefined || rest.length > 0) {
    throw new UsageError("it takes two endpoints, where to listen and what to connect to");
  }
  const { through } = more;
  const dial = await diallingEnd(to, context, { through });
  const open = await listeningEnd(from, context, {
    through,
    onListen: ([endpoint]) => more.start?.(endpoint, dial.endpoint),
  });
  const once = options.on("once");
  const over = Promise.withResolvers<number>();
  let count = 0;
  await using server = await open(async (connection) => {
    const id = ++count;
    if (once && id > 1) return connection.abort(new Error("--once: one connection was served"));
    const error = await relay({ id, first: connection, dial, to, context, more });
    if (isFatal(error)) over.reject(error);
    else if (once) over.resolve(error === undefined ? EXIT.done : exitCodeOf(error));
  });
  const stop = Promise.withResolvers<number>();
  stopped.addEventListener("abort", () => stop.resolve(EXIT.done));
  if (stopped.aborted) stop.resolve(EXIT.done);
  try {
    return await Promise.race([over.promise, stop.promise]);
  } finally {
    await server.close();
  }
}

/** Whether the relay cannot do any more what it was told to do, for any connection. */
function isFatal(error: unknown): boolean {
  return error instanceof OutputError || error instanceof RecordingError;
}

/** What one connection needs. */
interface Relaying {
  readonly id: number;
  readonly first: Connection;
  readonly dial: Dial;
  readonly to: string;
  readonly context: ToolContext;
  readonly more: RelayOptions;
}

/** Serves one connection. Resolves to what broke it. */
async function relay({ id, first, dial, to, context, more }: Relaying): Promise<unknown> {
  const { reporter, options } = context;
  const { remote, endpoint } = first;
  reporter.event({ event: "connected", id, remote, endpoint, target: to }, `${remote} connected`);
  let second: Connection | undefined;
  let error: unknown;
  try {
    second = await dial.connect();
    const eyes = more.eyes?.({ id, first, second });
    const linger = options.number("linger") ?? 1_000;
    await join(first, second, { eyes, linger, delay: more.delay });
  } catch (cause) {
    error = cause;
    first.abort(cause);
  }
  const info = await first.closed;
  const target = await second?.closed;
  const cause = error ?? info.error ?? target?.error;
  tellClosed({ id, first, second, error: cause }, info, reporter);
  try {
    if (!isFatal(error)) more.closed?.(id, cause === undefined ? undefined : messageOf(cause));
  } catch (failure) {
    return failure;
  }
  return error;
}

/** How a pair has ended. */
interface Ended {
  readonly id: number;
  readonly first: Connection;
  readonly second: Connection | undefined;
  readonly error: unknown;
}

function tellClosed(
  { id, first, second, error }: Ended,
  info: CloseInfo,
  reporter: Reporter,
): void {
  const { remote } = first;
  const words = error === undefined ? undefined : messageOf(error);
  const [there, back] = [second?.stats.messagesSent ?? 0, first.stats.messagesSent];
  reporter.event(
    {
      event: "closed",
      id,
      remote,
      clean: info.clean && error === undefined,
      error: words,
      messagesThere: there,
      messagesBack: back,
      bytesThere: second?.stats.bytesSent ?? 0,
      bytesBack: first.stats.bytesSent,
    },
    `${remote} closed: ${there} messages there, ${back} back${
      words === undefined ? "" : `; ${words}`
    }`,
  );
}
