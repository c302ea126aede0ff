/**
 * What the programs print: events as lines for people on stderr, or as JSON for programs on stdout; or
 * both of these in a file.
 */

import { dim, red, yellow } from "@std/fmt/colors";
import { printable } from "../../internal/text.ts";
import { type Event, eventLine, isTold, type Level, timeText } from "./events.ts";
import type { Host } from "./host.ts";
import type { Output } from "./output.ts";

/** Where a program's events go. */
export interface Reporter {
  /**
   * Reports an event. `line` tells it to people. Without `line` it is only for programs. The level
   * is `info` by default.
   */
  event(event: Event, line?: string, level?: Level): void;
  /** Reports an error in one line that says what to do. */
  error(message: string): void;
  /**
   * Shows how much of a long work is done, from 0 to 1. It is shown only on a terminal, and
   * disappears at 1.
   */
  progress(done: number): void;
}

/** Takes lines, and drops and counts what is too much. */
export interface Log {
  /** Takes a line if not too much is queued. */
  offer(line: string): void;
}

/** How a program tells. */
export interface ReporterOptions {
  /** Whether stdout is one JSON object per line, and nothing else is told. */
  readonly json: boolean;
  /** Whether people are told of errors only. */
  readonly quiet?: boolean;
  /** Whether events may be dropped and counted when nobody reads them, as those of a server may. */
  readonly mayDrop?: boolean;
  /** What is at least so important is told, with its level. Without it all is told, and no level. */
  readonly level?: Level;
  /** Where all that goes; by default stdout has the JSON, and stderr the lines. */
  readonly log?: Log;
}

/** Makes the reporter. It never waits for whoever reads. */
export function makeReporter({ stdout, stderr }: Host, options: ReporterOptions): Reporter {
  const { json, quiet = false, mayDrop = false, level: least, log } = options;
  const tellProgram = (event: Event, level: Level) => {
    const { event: name, ...fields } = event;
    const line = eventLine(least === undefined ? event : { event: name, level, ...fields });
    if (log !== undefined) log.offer(line);
    else if (mayDrop) stdout.offer(line);
    else stdout.write(line);
  };
  const tellPeople = (line: string, level: Level) => {
    const shown = least === undefined ? undefined : level;
    if (log !== undefined) log.offer(logLine(line, shown));
    else stderr.offer(logLine(line, shown, stderr));
  };
  stdout.note = (count) => droppedEvents(count, least && "warn");
  stderr.note = (count) => {
    const line = `${count} lines were dropped here, because nobody read them`;
    return logLine(line, least && "warn", stderr);
  };
  return {
    event(event, line, level = "info") {
      if (least !== undefined && !isTold(level, least)) return;
      if (json) tellProgram(event, level);
      else if (line !== undefined && !quiet) tellPeople(line, level);
    },
    error(message) {
      // Where stdout takes nothing any more, somebody may still read stderr.
      const isRead = log !== undefined || stdout.failure === undefined;
      if (json && isRead) tellProgram({ event: "error", message }, "error");
      else if (least !== undefined) tellPeople(message, "error");
      else stderr.offer(errorLine(message, stderr));
    },
    progress(done) {
      if (json || !stderr.isTerminal || stderr.queuedBytes > 0 && done < 1) return;
      const line = done < 1 ? `${Math.floor(done * 100)} %` : "";
      stderr.write(`\r${line.padEnd(5)}\r`);
    },
  };
}

/** The event that tells that so many were dropped. */
export function droppedEvents(count: number, level?: Level): string {
  return eventLine({ event: "dropped", level, count });
}

/** The line of a log file that tells that so many lines were dropped. */
export function missingLines(count: number): string {
  return logLine(`${count} lines are missing here: they could not be written`, "warn");
}

/** A line that tells people of an error. */
export function errorLine(message: string, to: Output): string {
  const word = to.isTerminal ? red("error") : "error";
  return `${word}: ${printable(message)}\n`;
}

const same = (text: string) => text;
const PAINT = { debug: dim, info: same, warn: yellow, error: red };

/** Time, level and what happened, in one line. */
function logLine(line: string, level: Level | undefined, to?: Output): string {
  const paint = to?.isTerminal === true;
  const time = paint ? dim(timeText()) : timeText();
  const word = level === undefined ? "" : ` ${paint ? PAINT[level](level) : level}`;
  return `${time}${word} ${printable(line)}\n`;
}

/** An error's own words, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
