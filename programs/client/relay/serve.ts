/** Serves a relay: each peer that comes is joined with a connection of its own to the target. */

import type { CloseInfo, Connection } from "../../../connection.ts";
import { EXIT, UsageError } from "../../shared/options.ts";
import { exitCodeOf } from "../../shared/program.ts";
import { makeReporter, messageOf, type Reporter } from "../../shared/report.ts";
import type { ToolContext } from "../context.ts";
import { diallingEnd, listeningEnd } from "./ends.ts";
import { type Eyes, join } from "./join.ts";

/** What a command adds to a relay. */
export interface RelayOptions {
  /** Makes who looks on at one pair of connections. */
  eyes?(pair: Pair): Eyes;
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
  const dial = await diallingEnd(to, context);
  const open = await listeningEnd(from, context);
  const once = options.on("once");
  const over = Promise.withResolvers<number>();
  let count = 0;
  await using server = await open(async (connection) => {
    const id = ++count;
    if (once && id > 1) return connection.abort(new Error("--once: one connection was served"));
    const error = await relay({ id, first: connection, dial, to, context, more });
    if (once) over.resolve(error === undefined ? EXIT.done : exitCodeOf(error));
  });
  const stop = Promise.withResolvers<number>();
  stopped.addEventListener("abort", () => stop.resolve(EXIT.done));
  if (stopped.aborted) stop.resolve(EXIT.done);
  const code = await Promise.race([over.promise, stop.promise]);
  await server.close();
  return code;
}

/** What one connection needs. */
interface Relaying {
  readonly id: number;
  readonly first: Connection;
  readonly dial: () => Promise<Connection>;
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
    second = await dial();
    const eyes = more.eyes?.({ id, first, second });
    await join(first, second, { eyes, linger: options.number("linger") ?? 1_000 });
  } catch (cause) {
    error = cause;
    first.abort(cause);
  }
  const info = await first.closed;
  const target = await second?.closed;
  tellClosed({ id, first, second, error: error ?? info.error ?? target?.error }, info, reporter);
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
