/** The client's `send`: sends messages and waits for answers. */

import type { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import { printable } from "../../internal/text.ts";
import { deadlineOf } from "../../internal/time.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { OutputError } from "../shared/output.ts";
import { type ClientContext, closeAndExplain, Hearing, isInOrder } from "./context.ts";
import { lacksOnlyFarewell } from "./farewell.ts";
import { inFormOf, messagePrinter, outFormOf } from "./messages.ts";
import { messagesFrom } from "./operand_messages.ts";

/** How long the peer may take to close if no answers are expected, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/**
 * Sends the messages that the operands stand for, and prints as many answers as `--expect` says. It half-closes where no
 * answers are waited for, or with `--half-close`: most peers end the other direction with it.
 */
export async function send(context: ClientContext): Promise<number> {
  const { operands, options, host } = context;
  const { stdout } = host;
  if (operands.length === 0) throw new UsageError(`"send" needs at least one TEXT`);
  const expected = options.number("expect") ?? 0;
  const print = messagePrinter(context, outFormOf(context) ?? "lines");
  const messages = await messagesFrom(operands, inFormOf(context), host);
  const connection = await context.connect();
  const enough = Promise.withResolvers<void>();
  const hearing = new Hearing(context, connection, {
    hear(message) {
      if (hearing.count > expected) return;
      print(message);
      if (hearing.count === expected) enough.resolve();
    },
    said: () => messages[0],
    flush: () => stdout.flush(),
  });
  const halfClosed = expected === 0 || options.on("half-close");
  const isEarly = await sendAll(connection, hearing, messages, halfClosed);
  const deadline = deadlineOf(
    patience(context),
    () => connection.abort(lateness(context, hearing)),
  );
  // UDP has no end of a connection, in either direction.
  const tellsEnd = !connection.endpoint.startsWith("udp:");
  if (expected > 0 || tellsEnd) await Promise.race([enough.promise, hearing.over]);
  deadline.clear();
  if (hearing.error instanceof OutputError) throw hearing.error;

  const got = Math.min(hearing.count, expected);
  const isAnswered = expected > 0 && got === expected;
  const isTaken = got === expected && !(isEarly && hearing.count === 0);
  const { refusal, error } = hearing;
  if (refusal === undefined && (isAnswered || isTaken)) {
    const info = await connection.close();
    // What was asked for came whole: then it does not matter how the peer ends.
    const isWhole = isAnswered || lacksOnlyFarewell(context, connection, hearing);
    if (isWhole ? info.undeliveredBytes === 0 : isInOrder(info)) return EXIT.done;
  }
  const state = expected > 0 ? `after ${got} of ${expected} answers` : "before this end did";
  throw await closeAndExplain(context, connection, {
    refusal,
    error,
    state,
    halfClosed: halfClosed && !isEarly,
  });
}

/** Sends, and half-closes if that is wanted. Resolves to whether the peer ended before that. */
async function sendAll(
  connection: Connection,
  hearing: Hearing,
  messages: readonly Uint8Array[],
  halfCloses: boolean,
): Promise<boolean> {
  try {
    for (const message of messages) await connection.send(message);
    await connection.flush();
  } catch (error) {
    if (!(error instanceof ConnectionClosedError || error instanceof ConnectionLostError)) {
      throw error;
    }
    await hearing.over; // The peer's last words may say why, and `closed` does.
  }
  await hearing.settled();
  const isEarly = hearing.ended;
  if (halfCloses) await connection.closeWrite();
  return isEarly;
}

function patience({ options }: ClientContext): number {
  const isAwaited = (options.number("expect") ?? 0) > 0;
  return isAwaited ? options.number("timeout") ?? 10_000 : CLOSE_TIMEOUT;
}

function lateness(context: ClientContext, { count }: Hearing): Error {
  const expected = context.options.number("expect") ?? 0;
  const within = `within ${patience(context)} ms`;
  const answers = `${count} of ${expected} answers ${within}`;
  return new ConnectionLostError(
    expected === 0
      ? `the peer did not close ${within}`
      : count === 0
      ? `${answers}; ${likelyReason(context)}`
      : answers,
  );
}

/** Why a peer that took everything may have said nothing. */
function likelyReason({ endpoint, options }: ClientContext): string {
  const reasons = ["may answer nothing, as --service print", "may expect another framing"];
  if (!options.on("half-close")) reasons.push("may wait for the end of this one (--half-close)");
  return `it ${reasons.join(", or ")}: client.ts doctor ${printable(endpoint)} looks`;
}
