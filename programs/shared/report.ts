/**
 * What the programs print: events as lines for people on stderr, or as JSON for programs on stdout.
 */

import { dim, red, setColorEnabled } from "@std/fmt/colors";
import { printable } from "../../internal/text.ts";

/** Something that happened, in types that JSON has. */
export type Event = { readonly event: string } & Record<string, unknown>;

/** Where a program's events go. */
export interface Reporter {
  /** Reports an event. `line` tells it to people. Without `line` it is only for programs. */
  event(event: Event, line?: string): void;
  /** Reports an error in one line that says what to do. */
  error(message: string): void;
  /**
   * Shows how much of a long work is done, from 0 to 1. It is shown only on a terminal, and
   * disappears at 1.
   */
  progress(done: number): void;
}

/** Makes the reporter. With `json`, stdout is one JSON object per line. */
export function makeReporter(options: { json: boolean; quiet?: boolean }): Reporter {
  const { json, quiet = false } = options;
  setColorEnabled(Deno.stderr.isTerminal() && !Deno.noColor);
  return {
    event(event, line) {
      if (json) console.log(JSON.stringify(event));
      else if (line !== undefined && !quiet) {
        console.error(`${dim(new Date().toISOString().slice(11, 19))} ${printable(line)}`);
      }
    },
    error(message) {
      if (json) console.log(JSON.stringify({ event: "error", message }));
      else console.error(`${red("error")}: ${printable(message)}`);
    },
    progress(done) {
      if (json || !Deno.stderr.isTerminal()) return;
      const line = done < 1 ? `${Math.floor(done * 100)} %` : "";
      Deno.stderr.writeSync(new TextEncoder().encode(`\r${line.padEnd(5)}\r`));
    },
  };
}

/** The message of an error, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
