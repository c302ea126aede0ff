/** The client's `send`: sends messages and waits for answers. */

import type { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import { deadlineOf } from "../../internal/time.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { type ClientContext, closeAndExplain, Hearing, isInOrder } from "./context.ts";
import { messagePrinter } from "./messages.ts";

/** How long the peer may take to close if no answers are expected, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/** Sends each operand as a message, half-closes, and prints as many answers as `--expect` says. */
export async function send(context: ClientContext): Promise<number> {
  const { operands, options } = context;
  if (operands.length === 0) throw new UsageError(`"send" needs at least one TEXT`);
  const expected = options.number("expect") ?? 0;
  const print = messagePrinter(options.on("json"));
  const connection = await context.connect();
  const enough = Promise.withResolvers<void>();
  const hearing = new Hearing(context, connection, {
    hear(message) {
      if (hearing.count > expected) return;
      print(message);
      if (hearing.count === expected) enough.resolve();
    },
    said: () => operands[0],
  });
  const isEarly = await sendAll(connection, hearing, operands);
  const deadline = deadlineOf(
    patience(context),
    () => connection.abort(lateness(context, hearing)),
  );
  // A UDP peer is not told of an end, and tells none.
  const tellsEnd = !connection.endpoint.startsWith("udp:");
  if (expected > 0 || tellsEnd) await Promise.race([enough.promise, hearing.over]);
  deadline.clear();
  if (hearing.error instanceof Deno.errors.BrokenPipe) throw hearing.error;

  const got = Math.min(hearing.count, expected);
  const isAnswered = expected > 0 && got === expected;
  const isWell = isAnswered || got === expected && !(isEarly && hearing.count === 0);
  const { refusal, error } = hearing;
  if (isWell && refusal === undefined && isInOrder(await connection.close())) return EXIT.done;
  const state = expected > 0 ? `after ${got} of ${expected} answers` : "before this end did";
  throw await closeAndExplain(context, connection, { refusal, error, state });
}

/** Sends and half-closes. Resolves to whether the peer ended before that. */
async function sendAll(
  connection: Connection,
  hearing: Hearing,
  texts: readonly string[],
): Promise<boolean> {
  try {
    for (const text of texts) await connection.send(text);
    await connection.flush();
  } catch (error) {
    if (!(error instanceof ConnectionClosedError || error instanceof ConnectionLostError)) {
      throw error;
    }
    await hearing.over; // The peer's last words may say why, and `closed` does.
  }
  await hearing.settled();
  const isEarly = hearing.ended;
  await connection.closeWrite();
  return isEarly;
}

function patience({ options }: ClientContext): number {
  const isAwaited = (options.number("expect") ?? 0) > 0;
  return isAwaited ? options.number("timeout") ?? 10_000 : CLOSE_TIMEOUT;
}

function lateness(context: ClientContext, { count }: Hearing): Error {
  const expected = context.options.number("expect") ?? 0;
  const within = `within ${patience(context)} ms`;
  return new ConnectionLostError(
    expected > 0 ? `${count} of ${expected} answers ${within}` : `the peer did not close ${within}`,
  );
}
