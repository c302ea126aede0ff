/**
 * The events that members are told, and how they are written: as lines for people, as JSON for
 * programs.
 */

import type { HistoryEntry } from "../history/history.ts";
import type { NoticeEvent } from "./notices.ts";

/** Something that was said in a room. */
export interface SaidEvent extends Omit<HistoryEntry, "kind"> {
  /** Whether it was said, or done with `/me`. */
  readonly type: "say" | "me";
  /** What its sender called it with `/once`. */
  readonly ref?: string;
  /** It has no place yet among the messages of all servers: its id is 0, and this is its name. */
  readonly provisional?: string;
}

/** A member, as `/who` shows it. */
export interface Presence {
  /** Its name. */
  readonly name: string;
  /** Why it is away, if it is. */
  readonly away?: string;
  /** True if it has said nothing for `silentAfter`. Otherwise the field is missing. */
  readonly silent?: true;
  /** True if it is an operator. Otherwise the field is missing. */
  readonly operator?: true;
}

/** A room, as `/rooms` shows it. */
export interface RoomInfo {
  /** Its name, as the first member of the room wrote it. */
  readonly name: string;
  /** How many members it has. */
  readonly members: number;
  /** Its topic. Empty if it has none. */
  readonly topic: string;
  /** The id of its newest message. 0 if it has none. */
  readonly last: number;
}

/** What was shown already has its place among the messages of all servers now. */
export interface PlacedEvent extends Omit<SaidEvent, "type" | "provisional"> {
  /** What kind of event it is. */
  readonly type: "placed";
  /** Whether it was said, or done with `/me`. */
  readonly kind: SaidEvent["type"];
  /** What it was called when it was shown. */
  readonly provisional: string;
}

/** What was said in a room. */
export interface HistoryEvent {
  /** What kind of event it is. */
  readonly type: "history";
  /** The room's name. */
  readonly room: string;
  /** What was said, oldest first. */
  readonly messages: readonly SaidEvent[];
  /** Whether there are more: earlier ones, or with `after` later ones. */
  readonly more: boolean;
  /** Only messages with a higher id were asked for. */
  readonly after?: number;
  /** The line that asks for more. */
  readonly next?: string;
}

/**
 * Everything that a member can be told. Times are milliseconds since 1970. A program tells events
 * apart by `type`, and notices by `code`. The words of a notice are for people.
 */
export type ChatEvent =
  | {
    type: "welcome";
    name: string;
    room: string;
    time: number;
    members: number;
    server?: string;
  }
  | SaidEvent
  | PlacedEvent
  | { type: "tell"; from: string; to: string; text: string; time: number }
  | { type: "join" | "leave"; room: string; name: string; members: number; time: number }
  | { type: "nick"; from: string; to: string; time: number }
  | { type: "away"; name: string; text?: string }
  | { type: "silent"; name: string; silent: boolean }
  | { type: "topic"; room: string; name: string; text: string }
  | { type: "room"; name: string; topic: string; members: number }
  | { type: "who"; room: string; members: readonly Presence[]; more?: number }
  | { type: "rooms"; rooms: readonly RoomInfo[]; more?: number }
  | HistoryEvent
  | { type: "found"; room: string; query: string; messages: readonly SaidEvent[] }
  | { type: "pong"; text: string }
  | { type: "ping" }
  | NoticeEvent;

/** An event that is written in one line. */
export type LineEvent = Exclude<ChatEvent, { type: "history" | "found" | "room" | "ping" }>;

/** The form in which a member gets events. */
export type Style = "plain" | "json";

/** Both forms. */
export const STYLES = ["plain", "json"] as const;

/** An event as JSON, for a program. */
export function jsonOf(event: ChatEvent): string {
  return JSON.stringify(event);
}

/** An event as a line, for a person. `to` is the name of the reader. */
export function lineOf(event: LineEvent, to?: string): string {
  switch (event.type) {
    case "say":
      return `${event.name}: ${event.text}`;
    case "me":
      return `* ${event.name} ${event.text}`;
    case "placed":
      return lineOf({ ...event, type: event.kind }, to);
    case "tell":
      return event.to === to
        ? `* ${event.from} tells you: ${event.text}`
        : `* You tell ${event.to}: ${event.text}`;
    case "welcome":
      return `* Welcome, ${event.name}. ${secondOf(event.time)}. ${event.members} here. ` +
        "/help lists the commands.";
    case "join":
      return `* ${event.name} joined. ${event.members} here.`;
    case "leave":
      return `* ${event.name} left. ${event.members} here.`;
    case "nick":
      return `* ${event.from} is now ${event.to}.`;
    case "away":
      return event.text === undefined
        ? `* ${event.name} is back.`
        : `* ${event.name} is away: ${event.text}`;
    case "silent":
      return `* ${event.name} ${event.silent ? "has fallen silent" : "is back"}.`;
    case "topic":
      return event.text === ""
        ? `* ${event.name} cleared the topic.`
        : `* ${event.name} set the topic: ${event.text}`;
    case "who":
      return `* ${event.members.length + (event.more ?? 0)} here: ` +
        `${event.members.map(presence).join(", ")}${andMore(event.more)}.`;
    case "rooms":
      return `* ${counted(event.rooms.length + (event.more ?? 0), "room")}: ` +
        `${event.rooms.map(room).join(", ")}${andMore(event.more)}.`;
    case "pong":
      return `* pong ${event.text}`.trimEnd();
    case "notice":
      return `* ${event.text}`;
  }
}

/** A line for a person, in its parts. */
export interface Row {
  /** If the line shows an earlier message, its time in brackets and a space. Otherwise empty. */
  readonly stamp: string;
  /** The rest of the line. */
  readonly text: string;
  /** The earlier message, if the line shows one. */
  readonly said?: SaidEvent;
}

/** An event for a person, in one or more lines. `now` is in milliseconds since 1970. */
export function linesOf(event: ChatEvent, to: string, now: number): string[] {
  return rowsOf(event, to, now).map(({ stamp, text }) => stamp + text);
}

/** The same lines, each in its parts. */
export function rowsOf(event: ChatEvent, to: string | undefined, now: number): Row[] {
  switch (event.type) {
    case "room": {
      const line = plain(`* You are in ${event.name}. ${event.members} here.`);
      return event.topic === "" ? [line] : [line, plain(`* The topic: ${event.topic}`)];
    }
    case "history": {
      const { messages, next, after } = event;
      const when = after === undefined ? "earlier" : "later";
      const rest = next === undefined ? [] : [plain(`* ${next} shows what was said ${when}.`)];
      const head = messages.length === 1 ? "message" : `${messages.length} messages`;
      return messages.length === 0 ? [plain("* There are no messages."), ...rest] : [
        plain(after === undefined ? `* The last ${head}:` : `* The next ${head}:`),
        ...messages.map((message) => dated(message, now)),
        ...rest,
      ];
    }
    case "found": {
      const { messages, query } = event;
      return messages.length === 0 ? [plain(`* Nothing found: ${query}`)] : [
        plain(`* Found ${counted(messages.length, "message")}: ${query}`),
        ...messages.map((message) => dated(message, now)),
      ];
    }
    case "ping":
    case "placed":
      return []; // For programs alone.
    default:
      return [plain(lineOf(event, to))];
  }
}

function plain(text: string): Row {
  return { stamp: "", text };
}

/** A number with its noun, such as `1 ban` or `3 bans`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

function presence({ name, away, silent, operator }: Presence): string {
  const states = [
    operator ? "operator" : "",
    away === undefined ? "" : `away: ${away}`,
    silent ? "silent" : "",
  ].filter((state) => state !== "");
  return states.length === 0 ? name : `${name} (${states.join(", ")})`;
}

function room({ name, members, topic }: RoomInfo): string {
  return topic === "" ? `${name} (${members})` : `${name} (${members}, ${topic})`;
}

function andMore(more = 0): string {
  return more === 0 ? "" : ` and ${more} more`;
}

/**
 * An earlier message with its time in UTC. If that is more than a day away from now, the date is
 * shown too.
 */
function dated(said: SaidEvent, now: number): Row {
  const time = secondOf(said.time);
  const short = Math.abs(now - said.time) < 24 * 60 * 60 * 1000;
  const stamp = `[${short ? time.slice(11, 16) : time.slice(0, 16)}] `;
  return { stamp, text: lineOf(said), said };
}

/** A time in UTC, such as `2026-11-20 18:12:03Z`. */
function secondOf(time: number): string {
  return new Date(time).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}
