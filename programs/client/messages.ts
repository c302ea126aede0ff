/** From the input to messages, and from messages to the output, in the forms that the user wants. */

import type { Connection } from "../../connection.ts";
import { eventLine } from "../shared/events.ts";
import type { InForm, OutForm } from "../shared/forms.ts";
import { UsageError } from "../shared/options.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageForm } from "../shared/shown.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The form of the input: that of `--in`, if it is given. */
export function inFormOf({ options }: ProgramContext): InForm | undefined {
  return options.text("in") as InForm | undefined;
}

/**
 * The form of the output: that of `--out`, if it is given.
 *
 * @throws {UsageError} if there is no room for it beside `--json`.
 */
export function outFormOf({ options, host: { stdout } }: ProgramContext): OutForm | undefined {
  const form = options.text("out") as OutForm | undefined;
  if (form !== undefined && options.on("json")) {
    throw new UsageError("--out and --json: give one of them");
  }
  if (form !== undefined) messageForm(form, stdout.isTerminal); // It may be none for a terminal.
  return form;
}

/** Whether a connection has bytes, and no messages. */
export function isStream({ framing }: Connection): boolean {
  return !framing.keepsBoundaries;
}

/**
 * A printer of messages: as JSON, made safe for a terminal, or as they are for a pipe. Whoever prints
 * asks `stdout` for room now and then.
 */
export function messagePrinter(
  { options, host: { stdout } }: ProgramContext,
  form: OutForm,
): (message: Uint8Array) => void {
  if (options.on("json")) {
    return (message) =>
      stdout.write(eventLine({ event: "message", text: decoder.decode(message) }));
  }
  const shown = messageForm(form, stdout.isTerminal);
  return (message) => stdout.write(shown(message));
}
