/**
 * What is shown: the room, who is in it, what was said.
 *
 * @module
 */

import type { EventOf, Presence, RoomInfo } from "./events.ts";
import { inbox } from "./inbox.ts";
import { MAX_LISTED } from "./limits.ts";
import type { Loading } from "./loading.ts";
import { storage } from "./storage.ts";
import { keyOf, LOBBY } from "./text.ts";

/** Whether the newest message stays in sight, or one reads above it, with new messages `below`. */
export type Reading = { readonly at: "end" } | { readonly at: "above"; readonly below: number };

/** What is known of a room; the one that is shown may be too new for the server's list. */
export type ListedRoom = Pick<RoomInfo, "name" | "members" | "last"> & Partial<RoomInfo>;

export const AT_END: Reading = { at: "end" };

/** Everything that the parts of the page show together. */
interface View {
  room: string;
  /** One's own name, empty before there is one. */
  me: string;
  topic: string;
  /** People of this room, by the key of their name. */
  people: Map<string, Presence>;
  /** Those that the server did not list. */
  unlisted: number;
  rooms: RoomInfo[];
  /** The last id seen in each room. */
  readonly seen: Map<string, number>;
  /** Messages that are shown, by id and time: ids alone begin anew when the server does. */
  readonly shown: Map<string, HTMLElement>;
  /** Private messages, which belong to no room. */
  readonly tells: EventOf<"tell">[];
  /** Whether the server has older messages than the first one here. */
  more: boolean;
  /** What the next history is. */
  loading: Loading<HTMLElement>;
  reading: Reading;
  /** Messages that came while nobody looked. */
  missed: number;
  /** The first of them. */
  markedNew: HTMLElement | undefined;
}

export const view: View = {
  room: storage.get("room") ?? LOBBY,
  me: "",
  topic: "",
  people: new Map(),
  unlisted: 0,
  rooms: [],
  seen: new Map(storage.list("seen").filter(isSeen)),
  shown: new Map(),
  tells: [],
  more: false,
  loading: { kind: "entering" },
  reading: AT_END,
  missed: 0,
  markedNew: undefined,
};

/** Whether a name is one's own. */
export function isMe(name: string): boolean {
  return keyOf(name) === keyOf(view.me);
}

/** Remembers that this room was read up to a message. */
export function see(id: number): void {
  if (id > (view.seen.get(view.room) ?? 0)) view.seen.set(view.room, id);
  inbox.soon(keepSeen);
}

function isSeen(value: unknown): value is [room: string, id: number] {
  return Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "number";
}

function keepSeen(): void {
  storage.set("seen", JSON.stringify([...view.seen].slice(-MAX_LISTED)));
}

/** Whether something was said in another room since it was left. */
export function isUnread({ name, last }: ListedRoom): boolean {
  return name !== view.room && last > (view.seen.get(name) ?? last);
}

/** All rooms, this one too: the lobby, then by name. */
export function sortedRooms(): ListedRoom[] {
  const rooms: ListedRoom[] = view.rooms.filter(({ name }) => name !== view.room);
  const here = view.rooms.find(({ name }) => name === view.room);
  rooms.push({
    name: view.room,
    last: 0,
    ...here,
    members: view.people.size + view.unlisted || here?.members || 0,
  });
  const rank = ({ name }: ListedRoom) => name === LOBBY ? 0 : 1;
  return rooms.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
