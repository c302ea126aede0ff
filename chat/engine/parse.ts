/** Reads the events that a program receives. They are checked, and safe to show. */

import { printable } from "../../internal/text.ts";
import type { ChatEvent } from "./events.ts";

type Check = (value: unknown) => boolean;

/** The furthest time that a `Date` can hold, in milliseconds. */
const MAX_TIME = 8.64e15;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isSafeInteger(value);
const time: Check = (value) => typeof value === "number" && Math.abs(value) <= MAX_TIME;
const maybe = (check: Check): Check => (value) => value === undefined || check(value);
const list = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);

function having(fields: Record<string, Check>): Check {
  return (value) =>
    typeof value === "object" && value !== null &&
    Object.entries(fields).every(([name, check]) =>
      check((value as Record<string, unknown>)[name])
    );
}

const saying = {
  id: count,
  room: text,
  name: text,
  text,
  time,
  ref: maybe(text),
  provisional: maybe(text),
};
const kind: Check = (value) => value === "say" || value === "me";
const said = having({ ...saying, type: kind });
const coming = { room: text, name: text, members: count, time };
const person = having({
  name: text,
  away: maybe(text),
  silent: maybe(flag),
  operator: maybe(flag),
});
const room = having({ name: text, members: count, topic: text, last: count });

const CHECKS: Readonly<Record<ChatEvent["type"], Check>> = {
  welcome: having({ name: text, room: text, time, members: count, server: maybe(text) }),
  say: having(saying),
  me: having(saying),
  placed: having({ ...saying, kind, provisional: text }),
  tell: having({ from: text, to: text, text, time }),
  join: having(coming),
  leave: having(coming),
  nick: having({ from: text, to: text, time }),
  away: having({ name: text, text: maybe(text) }),
  silent: having({ name: text, silent: flag }),
  topic: having({ room: text, name: text, text }),
  room: having({ name: text, topic: text, members: count }),
  who: having({ room: text, members: list(person), more: maybe(count) }),
  rooms: having({ rooms: list(room), more: maybe(count) }),
  history: having({
    room: text,
    messages: list(said),
    more: flag,
    after: maybe(count),
    next: maybe(text),
  }),
  found: having({ room: text, query: text, messages: list(said) }),
  pong: having({ text }),
  ping: having({}),
  // An older chat has no codes.
  notice: having({ code: maybe(text), text }),
};

/**
 * The event in a message. Undefined if the message is not an event, or its type is unknown here.
 * Control characters in its texts are written out, so a terminal does not obey them.
 */
export function parseEvent(message: string): ChatEvent | undefined {
  if (!message.startsWith("{")) return undefined;
  let event: ChatEvent;
  try {
    event = JSON.parse(message, (_, value) => typeof value === "string" ? printable(value) : value);
  } catch {
    return undefined; // It is a line that begins with a brace.
  }
  return Object.hasOwn(CHECKS, event.type) && CHECKS[event.type](event) ? event : undefined;
}
