/** The format of recordings: lines of JSON. docs/recording.md describes it. */

import { isText, markText } from "../../../connection.ts";
import type { Direction } from "../relay/join.ts";

/** The version that is written, and the only one that is read. */
export const RECORDING_VERSION = 1;

/** The first line of a recording, and of each part that was appended to it. */
export interface Header {
  readonly type: "recording";
  readonly version: typeof RECORDING_VERSION;
  /** When, in milliseconds since 1970, as all times here. */
  readonly time: number;
  readonly listen: string;
  readonly target: string;
}

/** A peer has come, and the target was reached. */
export interface Opened {
  readonly type: "open";
  readonly time: number;
  /** A number for the connection, unique between two headers. */
  readonly id: number;
  readonly remote: string;
}

/** A message has passed: `>` to the target, `<` back. It has `text`, or else `base64`. */
export interface Passed {
  readonly type: "message";
  readonly time: number;
  readonly id: number;
  readonly direction: Direction;
  readonly text?: string;
  readonly base64?: string;
}

/** The sender of a direction has ended in order. */
export interface EndOfDirection {
  readonly type: "end";
  readonly time: number;
  readonly id: number;
  readonly direction: Direction;
}

/** Both connections have closed. */
export interface Closed {
  readonly type: "closed";
  readonly time: number;
  readonly id: number;
  readonly error?: string;
}

/** A line of a recording. */
export type Entry = Header | Opened | Passed | EndOfDirection | Closed;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The clock of recordings: milliseconds since 1970. A test may have an hour in a second. */
export const clock: { now(): number } = {
  now: () => performance.timeOrigin + performance.now(),
};

/** Now, in milliseconds since 1970, with fractions. */
export function now(): number {
  return Math.round(clock.now() * 1000) / 1000;
}

/**
 * What a message is in a line. Bytes of a transport that tells them from text stay bytes, even if they
 * could be text.
 */
export function contentOf(
  message: Uint8Array,
  tellsText: boolean,
): Pick<Passed, "text" | "base64"> {
  if (!tellsText || isText(message)) {
    try {
      return { text: decoder.decode(message) };
    } catch {
      // It is no UTF-8.
    }
  }
  return { base64: message.toBase64() };
}

/** The message of a line. */
export function messageOf({ text, base64 }: Pick<Passed, "text" | "base64">): Uint8Array {
  return text === undefined ? Uint8Array.fromBase64(base64!) : markText(encoder.encode(text));
}

/** A line, with its end. */
export function writeEntry(entry: Entry): string {
  return JSON.stringify(entry) + "\n";
}

/** The entry of a line. Undefined if the line is none. */
export function readEntry(line: string): Entry | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return typeof value === "object" && value !== null && isEntry(value) ? value : undefined;
}

function isEntry(value: Record<string, unknown>): value is Record<string, unknown> & Entry {
  const { type, time, id, direction, text, base64 } = value;
  if (typeof time !== "number") return false;
  if (type === "recording") return typeof value.version === "number";
  if (!Number.isSafeInteger(id)) return false;
  const isDirected = direction === ">" || direction === "<";
  switch (type) {
    case "open":
      return typeof value.remote === "string";
    case "message":
      return isDirected && (typeof text === "string" || isBase64(base64));
    case "end":
      return isDirected;
    case "closed":
      return true;
    default:
      return false;
  }
}

function isBase64(text: unknown): boolean {
  return typeof text === "string" &&
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}
