/** How deeds stand in an entry of the log, which all servers must read, whatever their version. */

import { printable } from "../../internal/text.ts";
import type { SaidEvent } from "../engine/events.ts";

/** The version of everything in the log. Who reads another one stops, and says so. */
export const VERSION = 1;

/** The longest text in an entry, in UTF-16 code units. */
const MAX_TEXT = 1024 * 1024;

/** A member of another server or of one's own, as others need it to know it. */
export interface PersonRecord {
  readonly who: number;
  readonly name: string;
  readonly named: number;
  readonly room: string;
  readonly host?: string;
  readonly away?: string;
  readonly silent?: true;
  readonly operator?: true;
  readonly ignored?: readonly string[];
  readonly key?: string;
}

/**
 * One deed. `who` is a member of the server that says it, by its number. Other members are named by
 * `SERVER:NUMBER`.
 */
export type Item =
  /** A server comes. It says this first. */
  | { readonly do: "up" }
  /** A server is gone, with all its members. */
  | { readonly do: "gone"; readonly server: string }
  /** The server needs more names for newcomers. */
  | { readonly do: "guests" }
  /** Nothing: the server sees by it that it is heard. */
  | { readonly do: "nothing" }
  /** A member of a server that was taken for gone. */
  | ({ readonly do: "back" } & PersonRecord)
  | { readonly do: "come"; readonly who: number; readonly name: string; readonly host?: string }
  | { readonly do: "go" | "silent" | "operate"; readonly who: number }
  | SayItem
  | { readonly do: "move"; readonly who: number; readonly room: string }
  | {
    readonly do: "name" | "ban";
    readonly who: number;
    readonly name: string;
    readonly other?: string;
  }
  | { readonly do: "key"; readonly who: number; readonly key: string }
  | { readonly do: "topic" | "announce"; readonly who: number; readonly text: string }
  | { readonly do: "away"; readonly who: number; readonly text?: string }
  | {
    readonly do: "kick";
    readonly who: number;
    readonly name: string;
    readonly other?: string;
    readonly text: string;
  }
  | {
    readonly do: "tell";
    readonly who: number;
    readonly name: string;
    readonly other?: string;
    readonly text: string;
  }
  | { readonly do: "ignore" | "unignore" | "unban"; readonly who: number; readonly name: string };

/** Something is said. */
export interface SayItem {
  readonly do: "say";
  readonly who: number;
  readonly kind: SaidEvent["type"];
  readonly text: string;
  readonly ref?: string;
  /** How long it had waited when it was sent, in milliseconds; missing if that was not long. */
  readonly ago?: number;
}

/** The deeds of one entry. */
export interface Batch {
  /** The server. */
  readonly from: string;
  /** Which one it is of the server's entries, from 1 on. */
  readonly number: number;
  readonly items: readonly Item[];
}

type Check = (value: unknown) => boolean;

const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const text: Check = (value) =>
  typeof value === "string" && value.length <= MAX_TEXT && printable(value) === value;
const yes: Check = (value) => value === true;
const maybe = (check: Check): Check => (value) => value === undefined || check(value);
const list = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);

function having(fields: Record<string, Check>): Check {
  const checks = Object.entries(fields);
  return (value) =>
    checks.every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

const who = { who: count };
const other = maybe(text);

/** What a member's record must have. */
export const PERSON: Record<string, Check> = {
  ...who,
  name: text,
  named: count,
  room: text,
  host: maybe(text),
  away: maybe(text),
  silent: maybe(yes),
  operator: maybe(yes),
  ignored: maybe(list(text)),
  key: maybe(text),
};

const CHECKS: Readonly<Record<Item["do"], Check>> = {
  up: having({}),
  gone: having({ server: text }),
  guests: having({}),
  nothing: having({}),
  back: having(PERSON),
  come: having({ ...who, name: text, host: maybe(text) }),
  go: having(who),
  silent: having(who),
  operate: having(who),
  say: having({
    ...who,
    kind: (value) => value === "say" || value === "me",
    text,
    ref: maybe(text),
    ago: maybe(count),
  }),
  move: having({ ...who, room: text }),
  name: having({ ...who, name: text, other }),
  ban: having({ ...who, name: text, other }),
  key: having({ ...who, key: text }),
  topic: having({ ...who, text }),
  announce: having({ ...who, text }),
  away: having({ ...who, text: maybe(text) }),
  tell: having({ ...who, name: text, other, text }),
  kick: having({ ...who, name: text, other, text }),
  ignore: having({ ...who, name: text }),
  unignore: having({ ...who, name: text }),
  unban: having({ ...who, name: text }),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes an entry. */
export function encodeBatch({ from, number, items }: Batch): Uint8Array {
  return encoder.encode(JSON.stringify({ v: VERSION, from, number, items }));
}

/**
 * Reads an entry. It may be from anybody: it is `"foreign"` if it is none of ours, and `"newer"` if it
 * is of a version that is not known here.
 */
export function decodeBatch(bytes: Uint8Array): Batch | "foreign" | "newer" {
  try {
    const { v, from, number, items } = JSON.parse(decoder.decode(bytes));
    if (Number.isSafeInteger(v) && v > VERSION) return "newer";
    const isOurs = v === VERSION && text(from) && count(number) && Array.isArray(items) &&
      items.every((item) => Object.hasOwn(CHECKS, item?.do) && CHECKS[item.do as Item["do"]](item));
    return isOurs ? { from, number, items } : "foreign";
  } catch {
    return "foreign"; // It is no JSON, or not an object.
  }
}
