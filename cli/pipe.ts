/** The client in a pipe: lines in, messages out. */

import { decode, line } from "../codec.ts";
import type { Connection } from "../connection.ts";
import type { ClientContext } from "./context.ts";
import { messagePrinter } from "./messages.ts";
import { EXIT } from "./options.ts";
import { exitCodeOf } from "./program.ts";
import { messageOf } from "./report.ts";

/** Not an error: everything was sent, and the peer had time to answer. */
const LINGERED = new Error("the peer did not close in time");

/**
 * Sends each line of standard input as a message and prints each message as a line. After the
 * input's end it half-closes and prints what still comes, until the peer closes or `--linger` is over.
 */
export async function pipe(context: ClientContext): Promise<number> {
  const { options, reporter } = context;
  const connection = await context.connect();
  const printing = printAll(connection, messagePrinter(options.on("json")));
  const linger = options.number("linger") ?? 1_000;
  sendAll(connection, linger).catch((error) => connection.abort(error));
  try {
    await printing;
  } catch (error) {
    if (error === LINGERED) return EXIT.done;
    reporter.error(messageOf(error));
    return exitCodeOf(error);
  }
  const info = await connection.close();
  if (info.undeliveredBytes > 0) {
    reporter.error(`the peer closed before ${info.undeliveredBytes} bytes were sent`);
    return EXIT.lost;
  }
  return EXIT.done;
}

async function printAll(
  connection: Connection,
  print: (message: Uint8Array) => void,
): Promise<void> {
  for await (const batch of connection.batches()) batch.forEach(print);
}

async function sendAll(connection: Connection, linger: number): Promise<void> {
  const lines = decode(Deno.stdin.readable, line({ telnet: false }));
  for await (const message of lines) await connection.send(message);
  await connection.closeWrite();
  setTimeout(() => connection.abort(LINGERED), linger);
}
