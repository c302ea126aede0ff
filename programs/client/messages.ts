/** Prints messages to standard output. */

import { printable } from "../../internal/text.ts";
import type { ProgramContext } from "../shared/program.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A printer of messages: as JSON, made safe for a terminal, or as they are for a pipe. Whoever prints
 * asks `stdout` for room now and then.
 */
export function messagePrinter(
  { options, host: { stdout } }: ProgramContext,
): (message: Uint8Array) => void {
  if (options.on("json")) {
    return (message) =>
      stdout.write(JSON.stringify({ event: "message", text: decoder.decode(message) }) + "\n");
  }
  if (stdout.isTerminal) {
    return (message) => stdout.write(printable(decoder.decode(message)) + "\n");
  }
  return (message) => {
    const line = new Uint8Array(message.length + 1);
    line.set(message);
    line[message.length] = 0x0a;
    stdout.write(line);
  };
}
