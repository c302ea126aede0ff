/**
 * The room that is shown, and the others.
 *
 * @module
 */

import type { EventOf } from "./events.ts";
import { MAX_LISTED } from "./limits.ts";
import { clearLog, notice, settle } from "./log.ts";
import { restore } from "./restore.ts";
import { flush, outbox, typed } from "./sending.ts";
import { showPeople, showRooms, showTitle } from "./side.ts";
import { storage } from "./storage.ts";
import { keyOf, roomLabel, textOf } from "./text.ts";
import { view } from "./view.ts";

/** The first list of a connection tells from where on the server counts. */
let nextList: "first" | "further" = "first";

/** The server has put us into a room. */
export function enterRoom(name: string, topic: unknown): void {
  const before = view.room;
  const same = keyOf(name) === keyOf(before);
  restore.room = undefined;
  view.room = name;
  view.loading = { kind: "entering" };
  view.topic = textOf(topic);
  if (same) outbox.renameRoom(before, name);
  else {
    view.people.clear();
    clearLog();
  }
  storage.set("room", name);
  showRooms();
  showPeople();
  showTitle();
  settle();
  flush();
}

/** There is another connection, and perhaps another server. */
export function expectRooms(): void {
  nextList = "first";
}

/** The server's list of rooms. */
export function onRooms({ rooms }: EventOf<"rooms">): void {
  view.rooms = rooms.slice(0, MAX_LISTED);
  const names = new Set(view.rooms.map(({ name }) => name));
  for (const name of view.seen.keys()) {
    if (!names.has(name) && name !== view.room) view.seen.delete(name);
  }
  for (const { name, last, topic } of view.rooms) {
    const seen = view.seen.get(name);
    if (name === view.room) view.topic = textOf(topic ?? view.topic);
    // A room is new to this window, or the server counts anew.
    else if (seen === undefined || (nextList === "first" && last < seen)) view.seen.set(name, last);
  }
  nextList = "further";
  showRooms();
  showTitle();
  if (typed.delete("rooms")) {
    const list = view.rooms.map(({ name, members }) => `${roomLabel(name)} (${members})`);
    notice(list.join(", ") || "There are no rooms.");
  }
}

/** What a room is about has changed. */
export function onTopic({ room, name, text }: EventOf<"topic">): void {
  if (room !== view.room) return;
  view.topic = textOf(text);
  showRooms();
  notice(view.topic ? `${name} set the topic: ${view.topic}` : `${name} cleared the topic.`);
}
