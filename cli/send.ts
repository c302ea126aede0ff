/** The client's `send`: some messages, and the answers that are waited for. */

import type { Connection } from "../connection.ts";
import type { ClientContext } from "./context.ts";
import { messagePrinter } from "./messages.ts";
import { EXIT, UsageError } from "./options.ts";

/** Sends one message per operand, half-closes, and prints as many answers as `--expect` says. */
export async function send(context: ClientContext): Promise<number> {
  const { operands, options, reporter } = context;
  if (operands.length === 0) throw new UsageError(`"send" needs at least one TEXT`);
  const expected = options.number("expect") ?? 0;
  const connection = await context.connect();
  for (const text of operands) await connection.send(text);
  await connection.closeWrite();

  const print = messagePrinter(options.on("json"));
  const timer = setTimeout(
    () => connection.abort(new Error(`no answer within ${options.number("timeout") ?? 10_000} ms`)),
    options.number("timeout") ?? 10_000,
  );
  const got = await printAnswers(connection, expected, print);
  clearTimeout(timer);
  if (got < expected) {
    reporter.error(`the peer closed after ${got} of ${expected} answers`);
    return EXIT.lost;
  }
  const { error } = await connection.close();
  if (error !== undefined) throw error;
  return EXIT.done;
}

async function printAnswers(
  connection: Connection,
  expected: number,
  print: (message: Uint8Array) => void,
): Promise<number> {
  for (let got = 0; got < expected; got++) {
    const message = await connection.receive();
    if (message === undefined) return got;
    print(message);
  }
  return expected;
}
