/**
 * What the programs print: events as lines for people on stderr, or as JSON for programs on stdout.
 */

import { dim, red } from "@std/fmt/colors";
import { printable } from "../../internal/text.ts";
import type { Host } from "./host.ts";
import type { Output } from "./output.ts";

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

/** How a program tells. */
export interface ReporterOptions {
  /** Whether stdout is one JSON object per line, and nothing else is told. */
  readonly json: boolean;
  /** Whether people are told of errors only. */
  readonly quiet?: boolean;
  /** Whether events may be dropped and counted when nobody reads them, as those of a server may. */
  readonly mayDrop?: boolean;
}

/** Makes the reporter. It never waits for whoever reads. */
export function makeReporter({ stdout, stderr }: Host, options: ReporterOptions): Reporter {
  const { json, quiet = false, mayDrop = false } = options;
  const tellProgram = (event: Event) => {
    const line = JSON.stringify(event) + "\n";
    if (mayDrop) stdout.offer(line);
    else stdout.write(line);
  };
  const tellPeople = (line: string) => stderr.offer(logLine(line, stderr));
  stdout.note = (count) => JSON.stringify({ event: "dropped", count }) + "\n";
  stderr.note = (count) =>
    logLine(`${count} lines were dropped here, because nobody read them`, stderr);
  return {
    event(event, line) {
      if (json) tellProgram(event);
      else if (line !== undefined && !quiet) tellPeople(line);
    },
    error(message) {
      // Where stdout takes nothing any more, somebody may still read stderr.
      if (json && stdout.failure === undefined) tellProgram({ event: "error", message });
      else stderr.offer(errorLine(message, stderr));
    },
    progress(done) {
      if (json || !stderr.isTerminal || stderr.queuedBytes > 0 && done < 1) return;
      const line = done < 1 ? `${Math.floor(done * 100)} %` : "";
      stderr.write(`\r${line.padEnd(5)}\r`);
    },
  };
}

/** A line that tells people of an error. */
export function errorLine(message: string, to: Output): string {
  const word = to.isTerminal ? red("error") : "error";
  return `${word}: ${printable(message)}\n`;
}

function logLine(line: string, to: Output): string {
  const time = new Date().toISOString().slice(11, 19);
  return `${to.isTerminal ? dim(time) : time} ${printable(line)}\n`;
}

/** An error's own words, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
