/**
 * Messages as they come, and older ones: each is shown once, in its place.
 *
 * @module
 */

import { entries } from "./elements.ts";
import { foundEntry, messageEntry, tellEntry, timeOf } from "./entries.ts";
import type { EventOf, SaidEvent } from "./events.ts";
import { MAX_ENTRIES, MAX_GAP_PAGES, MAX_KEPT, PAGE } from "./limits.ts";
import { link } from "./link.ts";
import { answers, type Gap } from "./loading.ts";
import { insert, markNew, notice, quietly, removeBefore, settle } from "./log.ts";
import { confirm } from "./sending.ts";
import { showTitle } from "./side.ts";
import { dateOf, plural, roomLabel, textOf } from "./text.ts";
import { isMe, see, view } from "./view.ts";

/** Somebody said something in a room. */
export function onMessage(message: SaidEvent): void {
  if (message.room !== view.room) return;
  const fresh = freshEntries([message]);
  if (fresh.length === 0) return;
  if (document.hidden && !isMe(message.name)) {
    view.missed++;
    if (view.markedNew === undefined) markNew(fresh[0]);
  }
  insert(fresh);
  see(message.id);
  showTitle();
}

/** What was shown before it had a place in the history of all servers has one now. */
export function onPlaced({ kind, ...rest }: EventOf<"placed">): void {
  const message = { ...rest, type: kind };
  const early = shownKey({ ...message, id: 0 });
  const element = view.shown.get(early);
  if (element === undefined) return onMessage(message);
  view.shown.delete(early);
  view.shown.set(shownKey(message), element);
  element.dataset.id = String(message.id);
  if (message.room === view.room) see(message.id);
}

/** Somebody said something to one person only. */
export function onTell(event: EventOf<"tell">): void {
  view.tells.push(event);
  if (view.tells.length > MAX_KEPT) view.tells.shift();
  if (document.hidden && !isMe(event.from)) view.missed++;
  insert([tellEntry(event)]);
  showTitle();
}

/** A part of a room's history. */
export function onHistory({ room, messages, more }: EventOf<"history">): void {
  if (room !== view.room) return;
  const { loading } = view;
  if (answers(loading, messages)) {
    view.loading = { kind: "idle" };
    quietly(() => {
      if (loading.kind === "entering") entered(messages, more === true);
      else if (loading.kind === "gap") fillGap(loading, messages, more === true);
      else addOlder(messages, more === true);
    });
  } else {
    const fresh = freshEntries(messages);
    const last = messages.at(-1);
    const newest = last !== undefined && last.id > (firstId() ?? 0);
    insert(fresh, newest ? null : entries.firstElementChild);
  }
  settle();
}

/** What a search has found. */
export function onFound({ room, query, messages }: EventOf<"found">): void {
  const count = messages.length === 0 ? "Nothing" : plural(messages.length, "message", "messages");
  notice(`${count} found for “${textOf(query)}” in ${roomLabel(textOf(room))}.`);
  insert(messages.map(foundEntry));
}

/** Asks for what is before the oldest message here, if there is anything. */
export function loadOlder(): void {
  const before = firstId();
  if (link.state.kind !== "open" || view.loading.kind !== "idle") return;
  if (!view.more || before === undefined || entries.childElementCount >= MAX_ENTRIES) return;
  view.loading = { kind: "older", before, since: Date.now() };
  link.send(`/history ${PAGE} before ${before}`);
}

/** The history that comes on entering a room, which is also what was missed in an outage. */
function entered(all: readonly SaidEvent[], more: boolean): void {
  const again = view.shown.size > 0;
  const overlaps = all.some(isShown);
  const seen = view.seen.get(view.room) ?? Infinity;
  const fresh = freshEntries(all);
  if (!again) {
    view.more = more;
    const first = dateOf(all[0]?.time ?? 0).getTime();
    const tells = view.tells.filter(({ time }) => time >= first).map(tellEntry);
    const sorted = [...fresh, ...tells].sort((a, b) => timeOf(a) - timeOf(b));
    insert(sorted, entries.firstElementChild);
  } else {
    insert(fresh);
    if (!overlaps && more && fresh.length > 0) askGap(all[0].id, fresh[0], 1);
    else if (!overlaps) forgetIds(fresh);
  }
  const unseen = all.findIndex((message) => message.id > seen && !isMe(message.name));
  if (unseen > 0 || (again && unseen === 0)) markNew(view.shown.get(shownKey(all[unseen])));
  const last = all.at(-1);
  if (last !== undefined) see(last.id);
}

/** Asks for what lies between the messages shown before an outage and those after it. */
function askGap(before: number, anchor: HTMLElement, pages: number): void {
  view.loading = { kind: "gap", before, since: Date.now(), anchor, pages };
  link.send(`/history ${PAGE * 2} before ${before}`);
}

function fillGap(
  { anchor, pages }: Gap<HTMLElement>,
  all: readonly SaidEvent[],
  more: boolean,
): void {
  const overlaps = all.some(isShown);
  const fresh = freshEntries(all);
  insert(fresh, anchor);
  if (overlaps) return;
  const first = fresh[0] ?? anchor;
  if (more && fresh.length > 0 && pages < MAX_GAP_PAGES) {
    askGap(all[0].id, first, pages + 1);
  } else if (more) {
    // Too long an outage: the window begins after it, and scrolling up loads the rest.
    removeBefore(first);
    view.more = true;
  } else {
    const children = [...entries.children];
    forgetIds(children.slice(children.indexOf(first)));
  }
}

function addOlder(all: readonly SaidEvent[], more: boolean): void {
  const free = MAX_ENTRIES - entries.childElementCount;
  const fresh = freshEntries(all.slice(Math.max(0, all.length - free)));
  // A server that repeats itself must not be asked for ever.
  view.more = more && fresh.length > 0;
  insert(fresh, entries.firstElementChild);
}

/** The server has forgotten the messages above: they stay to be read, with nothing before them. */
function forgetIds(kept: readonly Element[]): void {
  const keep = new Set(kept);
  for (const element of entries.children) {
    if (!keep.has(element) && element instanceof HTMLElement) delete element.dataset.id;
  }
  view.more = false;
}

/** Entries for those messages that are not shown yet. */
function freshEntries(messages: readonly SaidEvent[]): HTMLElement[] {
  const fresh: HTMLElement[] = [];
  for (const message of messages) {
    if (isShown(message)) continue;
    const element = messageEntry(message);
    // It gets its place in the history later.
    if (message.id === 0) delete element.dataset.id;
    view.shown.set(shownKey(message), element);
    confirm(message);
    fresh.push(element);
  }
  return fresh;
}

function isShown(message: SaidEvent): boolean {
  return view.shown.has(shownKey(message));
}

function shownKey({ id, time, provisional }: SaidEvent): string {
  return id === 0 && provisional !== undefined ? provisional : `${id}/${dateOf(time).getTime()}`;
}

/** The id of the oldest message that is a place in the history. */
function firstId(): number | undefined {
  const first = entries.querySelector<HTMLElement>("[data-id]");
  return first ? Number(first.dataset.id) : undefined;
}
