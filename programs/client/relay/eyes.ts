/** What a proxy shows of the messages that pass, and what it records of them. */

import { eventLine, timeText } from "../../shared/events.ts";
import type { Output } from "../../shared/output.ts";
import { dump, jsonOf, pretty } from "../../shared/shown.ts";
import { contentOf, now } from "../recording/format.ts";
import type { Recorder } from "../recording/recorder.ts";
import type { Direction, Eyes } from "./join.ts";
import type { Show } from "./options.ts";
import type { Pair } from "./serve.ts";

/** Shows each message, with its time, connection, direction and size. */
export function shower(show: Show, { id }: Pair, stdout: Output): Eyes | undefined {
  if (show === "none") return undefined;
  return {
    see: (message, direction) =>
      showMessage(show, { id, direction, time: timeText() }, message, stdout),
    ended() {},
    flush: () => stdout.room(),
  };
}

/** Shows a message. Whoever shows much asks `stdout` for room. */
export function showMessage(
  show: Show,
  passing: Passing,
  message: Uint8Array,
  stdout: Output,
): void {
  if (show === "none") return;
  const line = show === "json" ? jsonLine : show === "hex" ? hexLines : prettyLines;
  stdout.write(line(passing, message));
}

/** Where and when a message has passed. */
export interface Passing {
  readonly id: number;
  readonly direction: Direction;
  /** As in RFC 3339, in UTC. */
  readonly time: string;
}

function jsonLine(passing: Passing, message: Uint8Array): string {
  const content = jsonOf(message);
  const { time, ...way } = passing;
  return eventLine({
    event: "message",
    time,
    ...way,
    size: message.length,
    ...(typeof content === "string" ? { text: content } : content),
  });
}

function hexLines(passing: Passing, message: Uint8Array): string {
  return `${head(passing, message)}\n${indented(dump(message))}`;
}

function prettyLines(passing: Passing, message: Uint8Array): string {
  const shown = pretty(message);
  const isOne = shown.indexOf("\n") === shown.length - 1 && !/^0{8} {2}/.test(shown);
  return isOne
    ? `${head(passing, message)}  ${shown}`
    : `${head(passing, message)}\n${indented(shown)}`;
}

function head({ id, direction, time }: Passing, { length }: Uint8Array): string {
  return `${time.slice(11, -1)} #${id} ${direction} ${length} B`;
}

function indented(lines: string): string {
  return lines.trimEnd().split("\n").map((line) => `  ${line}\n`).join("");
}

/** Records each message before it is sent on. */
export function recording({ id, first, second }: Pair, recorder: Recorder): Eyes {
  recorder.add({ type: "open", time: now(), id, remote: first.remote });
  recorder.flush();
  const tellsText = [first, second].some(({ endpoint }) => /^wss?:/.test(endpoint));
  return {
    see(message, direction) {
      const content = contentOf(message, tellsText);
      recorder.add({ type: "message", time: now(), id, direction, ...content });
    },
    ended(direction) {
      recorder.add({ type: "end", time: now(), id, direction });
      recorder.flush();
    },
    flush: () => recorder.flush(),
  };
}

/** Several who look on as one; undefined for none. */
export function together(all: readonly (Eyes | undefined)[]): Eyes | undefined {
  const eyes = all.filter((one) => one !== undefined);
  if (eyes.length <= 1) return eyes[0];
  return {
    see(message, direction) {
      for (const one of eyes) one.see(message, direction);
    },
    ended(direction) {
      for (const one of eyes) one.ended(direction);
    },
    async flush() {
      for (const one of eyes) await one.flush();
    },
  };
}
