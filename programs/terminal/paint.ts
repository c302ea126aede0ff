/** Shows a chat's events in colours. Without colours all lines stay as they are. */

import { bold, dim, getColorEnabled } from "@std/fmt/colors";
import type { ChatEvent } from "../../chat.ts";
import { type Row, rowsOf } from "../../chat/internal.ts";
import { keyOf, type Mention, type Names } from "./names.ts";

/**
 * Colours from the table of 256. Every terminal shows these alike. The first 16 of the table are
 * not used, because the user can change them. Each colour has a contrast of at least 3.5 with black
 * and with white.
 */
export const PALETTE = [160, 166, 100, 64, 28, 30, 32, 63, 98, 128, 163, 161] as const;

/** The colour of private messages. It stands out on a dark and on a light background. */
const PRIVATE = 30;

/** A name in its colour. A name always has the same colour. */
export function paintName(name: string): string {
  let hash = 2166136261; // FNV-1a
  for (const character of keyOf(name)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619);
  }
  return colored(PALETTE[(hash >>> 8) % PALETTE.length], name);
}

/** A line to show. */
export interface Painted {
  /** When it was said, in brackets and with a space, if that is not now. Otherwise empty. */
  readonly stamp: string;
  /** The rest of the line. */
  readonly text: string;
  /** When it was said, in milliseconds since 1970 by the server's clock, if that is not now. */
  readonly time?: number;
}

/** A line with its stamp. */
export function wholeLine({ stamp, text }: Painted): string {
  return stamp + text;
}

/**
 * The lines that show an event. Names have colours, the chat's own lines are dim, and lines that
 * call the reader are bold. `call` is what {@linkcode Names} says of the event. `now` is the
 * server's time.
 */
export function paint(event: ChatEvent, call: Mention, names: Names, now: number): Painted[] {
  if (event.type === "tell") return [{ stamp: "", text: paintTell(event, names.own) }];
  return rowsOf(event, names.own, now).map((row) => {
    if (row.said !== undefined) return paintEarlier(row, names);
    return paintRow(row, event.type === "say" ? event.name : undefined, call);
  });
}

/** A line that shows an earlier message. */
export function paintEarlier(row: Row, names: Names): Painted {
  const { said } = row;
  const call = said !== undefined && names.isCalledIn(said) ? "earlier" : "none";
  return { ...paintRow(row, said?.type === "say" ? said.name : undefined, call), time: said?.time };
}

/** A printable line of which nothing else is known. */
export function paintPlain(line: string): Painted {
  return { stamp: "", text: dimmed(line) };
}

function dimmed(line: string): string {
  return line.startsWith("* ") ? dim(line) : line;
}

function paintRow({ stamp, text }: Row, speaker: string | undefined, call: Mention): Painted {
  const time = stamp === "" ? "" : dim(stamp);
  if (speaker !== undefined) {
    const said = paintName(speaker) + text.slice(speaker.length);
    return { stamp: time, text: call === "none" ? said : bold(said) };
  }
  return { stamp: time, text: call === "none" ? dim(text) : bold(text) };
}

function paintTell(
  { from, to, text }: ChatEvent & { type: "tell" },
  own: string | undefined,
): string {
  return to === own
    ? bold(`* ${paintName(from)} ${colored(PRIVATE, "tells you:")} ${text}`)
    : `* ${colored(PRIVATE, "You tell")} ${paintName(to)}: ${text}`;
}

function colored(color: number, text: string): string {
  return getColorEnabled() ? `\x1b[38;5;${color}m${text}\x1b[39m` : text;
}
