/**
 * What the server says, and whether it is what it should be: the page takes nothing for granted.
 *
 * @module
 */

import type { ChatEvent, Presence, RoomInfo, SaidEvent } from "../../engine/events.ts";

export type { ChatEvent, Presence, RoomInfo, SaidEvent };

/** An event by its type, or by its types, if it has several. */
export type EventOf<T extends ChatEvent["type"]> = Extract<ChatEvent, { type: T }>;

type Fields = Record<string, unknown>;

/** What each type of event must have for the page to use it. */
const CHECKS: Record<ChatEvent["type"], (event: Fields) => boolean> = {
  welcome: hasStrings("name", "room"),
  say: isSaid,
  me: isSaid,
  placed: isSaid,
  tell: hasStrings("from", "to", "text"),
  join: hasStrings("room", "name"),
  leave: hasStrings("room", "name"),
  nick: hasStrings("from", "to"),
  away: hasStrings("name"),
  silent: hasStrings("name"),
  topic: hasStrings("room", "name"),
  room: hasStrings("name"),
  who: keepsItems("members", hasStrings("name")),
  rooms: keepsItems("rooms", hasStrings("name")),
  history: keepsItems("messages", isSaid),
  found: keepsItems("messages", isSaid),
  pong: () => true,
  ping: () => true,
  notice: hasStrings("text"),
};

/**
 * What a text of the server is: an event; the text itself, if it is none; undefined for an event that
 * the page does not know, or that lacks something.
 */
export function readEvent(text: string): ChatEvent | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The server's own words, as before it has taken /json.
    return text;
  }
  if (!isFields(value) || typeof value.type !== "string") return text;
  if (!Object.hasOwn(CHECKS, value.type)) return undefined;
  return CHECKS[value.type as ChatEvent["type"]](value) ? value as unknown as ChatEvent : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function hasStrings(...keys: readonly string[]): (event: Fields) => boolean {
  return (event) => keys.every((key) => typeof event[key] === "string");
}

function isSaid(event: Fields): boolean {
  return Number.isInteger(event.id) && hasStrings("name", "text")(event);
}

/** A list must be one; what it should not hold is taken out of it. */
function keepsItems(key: string, check: (item: Fields) => boolean): (event: Fields) => boolean {
  return (event) => {
    const items = event[key];
    if (!Array.isArray(items)) return false;
    event[key] = items.filter((item) => isFields(item) && check(item));
    return true;
  };
}
