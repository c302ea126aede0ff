/**
 * Who is in the room, and under which name.
 *
 * @module
 */

import type { EventOf } from "./events.ts";
import { link } from "./link.ts";
import { notice } from "./log.ts";
import { restore } from "./restore.ts";
import { flush, typed } from "./sending.ts";
import { showPeople, showRooms } from "./side.ts";
import { keyOf, textOf } from "./text.ts";
import { isMe, view } from "./view.ts";

/** Who is in the room. */
export function onWho({ room, members, more }: EventOf<"who">): void {
  if (room !== view.room) return;
  view.people = new Map(members.map((one) => [keyOf(one.name), one]));
  view.unlisted = more !== undefined && Number.isInteger(more) ? more : 0;
  showPeople();
  showRooms();
  if (typed.delete("who")) {
    const names = [...view.people.values()].map(({ name }) => name);
    const others = view.unlisted > 0 ? ` and ${view.unlisted} more` : "";
    notice(`${names.length + view.unlisted} here: ${names.join(", ")}${others}.`);
  }
}

/** Somebody came or left. */
export function onCame({ type, room, name }: EventOf<"join" | "leave">): void {
  if (room !== view.room) return;
  const key = keyOf(name);
  const known = view.people.has(key);
  if (type === "join") view.people.set(key, view.people.get(key) ?? { name });
  else view.people.delete(key);
  showPeople();
  showRooms();
  if (!isMe(name) && known !== (type === "join")) {
    notice(`${textOf(name)} ${type === "join" ? "joined" : "left"}.`);
  }
}

/** Somebody has another name now. */
export function onNick({ from, to }: EventOf<"nick">): void {
  const person = view.people.get(keyOf(from));
  view.people.delete(keyOf(from));
  if (isMe(from)) {
    view.me = to;
    restore.settleName(to);
    if (restore.chosen !== undefined) link.send("/claim");
    notice(`You are ${textOf(to)} now.`);
  } else if (person) notice(`${textOf(from)} is now ${textOf(to)}.`);
  if (person) view.people.set(keyOf(to), { ...person, name: to });
  showPeople();
  flush();
}

/** Somebody is away, or back. */
export function onAway({ name, text }: EventOf<"away">): void {
  const away = text === undefined ? undefined : textOf(text);
  markPerson(name, { away });
  const who = isMe(name) ? "You are" : `${textOf(name)} is`;
  notice(`${who} ${away === undefined ? "back." : `away: ${away}`}`);
}

/** Somebody has long said nothing, or speaks again: worth a mark in the list, not a line. */
export function onSilent({ name, silent }: EventOf<"silent">): void {
  markPerson(name, { silent: silent === true ? true : undefined });
}

function markPerson(name: string, mark: { away?: string; silent?: true }): void {
  const person = view.people.get(keyOf(name));
  if (person) view.people.set(keyOf(name), { ...person, ...mark });
  showPeople();
}
