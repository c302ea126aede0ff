/** Prints messages to standard output. */

import { writeAllSync } from "../../internal/bytes.ts";
import { printable } from "../../internal/text.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Makes a function that prints messages: as JSON, in a safe form for a terminal, or unchanged for a
 * pipe. It throws `Deno.errors.BrokenPipe` when nobody reads the output any more.
 */
export function messagePrinter(json: boolean): (message: Uint8Array) => void {
  if (json) {
    return (message) =>
      writeLine(JSON.stringify({ event: "message", text: decoder.decode(message) }));
  }
  if (Deno.stdout.isTerminal()) return (message) => writeLine(printable(decoder.decode(message)));
  return (message) => {
    const line = new Uint8Array(message.length + 1);
    line.set(message);
    line[message.length] = 0x0a;
    writeAllSync(Deno.stdout, line);
  };
}

/** `console.log()` is not used, because it does not tell when nobody reads. */
function writeLine(text: string): void {
  writeAllSync(Deno.stdout, encoder.encode(`${text}\n`));
}
