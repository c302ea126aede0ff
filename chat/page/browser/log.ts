/**
 * The log: its entries in order, no more than fit, and the newest in sight.
 *
 * @module
 */

import { $, entries, make, scroller } from "./elements.ts";
import { dayOf, noticeEntry, timeOf } from "./entries.ts";
import { inbox } from "./inbox.ts";
import { MAX_ENTRIES, SAME_BREATH } from "./limits.ts";
import { roomLabel } from "./text.ts";
import { AT_END, view } from "./view.ts";

/** What the log asks of the history. */
interface LogUser {
  /** Is called when the oldest entry is in sight. */
  atTop(): void;
}

let logUser: LogUser | undefined;

/** Says who is asked for what is above the oldest entry. */
export function startLog(user: LogUser): void {
  logUser = user;
}

/** Says something for the page or the server. */
export function notice(text: string, kind: "plain" | "error" = "plain"): void {
  insert([noticeEntry(text, kind)]);
}

/** Puts entries before another one, or at the end. */
export function insert(elements: readonly HTMLElement[], before: Element | null = null): void {
  if (elements.length === 0) return;
  const fragment = document.createDocumentFragment();
  fragment.append(...elements);
  const { reading } = view;
  const put = () => {
    entries.insertBefore(fragment, before);
    for (const element of elements) arrange(element);
    arrange(before);
  };
  if (before !== null && reading.at === "above") keepPlace(put);
  else put();
  if (before === null && reading.at === "above") {
    view.reading = { at: "above", below: reading.below + elements.length };
  }
  trim();
  settle();
}

/** Takes the entries above one out of the log. */
export function removeBefore(end: Element | null): void {
  while (entries.firstElementChild !== null && entries.firstElementChild !== end) removeFirst();
  arrange(entries.firstElementChild);
}

/** Empties the log. */
export function clearLog(): void {
  view.shown.clear();
  view.more = false;
  view.reading = AT_END;
  markNew(undefined);
  entries.replaceChildren();
}

/** Sets the line above the first entry that is new to the reader. */
export function markNew(element: HTMLElement | undefined): void {
  view.markedNew?.classList.remove("first-new");
  view.markedNew = element;
  element?.classList.add("first-new");
}

/** Keeps the newest message in sight, unless the reader has scrolled up. */
export function settle(): void {
  if (inbox.draining) return;
  const { reading } = view;
  if (!document.hidden && reading.at === "end") scroller.scrollTop = scroller.scrollHeight;
  $("top").textContent = wordsAtTop();
  $("newer").hidden = reading.at === "end";
  const below = reading.at === "end" ? 0 : reading.below;
  $("newer").textContent = below === 0 ? "To the newest" : `${below} new below`;
  if (!document.hidden && scroller.scrollTop < 100) logUser?.atTop();
}

/** Goes to the newest message, and stays there. */
export function toEnd(): void {
  view.reading = AT_END;
  settle();
}

/** Changes the log in a way that a screen reader should not read out, such as by old messages. */
export function quietly(change: () => void): void {
  entries.setAttribute("aria-live", "off");
  change();
  setTimeout(() => entries.setAttribute("aria-live", "polite"), 200);
}

function wordsAtTop(): string {
  if (view.loading.kind === "entering" && view.shown.size === 0) return "";
  if (entries.childElementCount >= MAX_ENTRIES) {
    return `The newest ${MAX_ENTRIES} lines are shown. /search TEXT finds older ones.`;
  }
  if (view.more) return "Scroll up for older messages";
  return `This is the beginning of ${roomLabel(view.room)}.`;
}

/** Sets what depends on the entry before: the day, and whether the name is shown again. */
function arrange(element: Element | null): void {
  if (!(element instanceof HTMLElement)) return;
  const before = element.previousElementSibling;
  const last = before instanceof HTMLElement ? before : undefined;
  const day = dayOf(element);
  const newDay = last === undefined || day !== dayOf(last);
  element.querySelector(".day")?.remove();
  if (newDay) element.prepend(make("div", { className: "day" }, day));
  const follows = !newDay && element.classList.contains("say") &&
    last.dataset.author === element.dataset.author &&
    timeOf(element) - timeOf(last) < SAME_BREATH;
  element.classList.toggle("follows", follows);
}

/** Drops the oldest entries above the limit. */
function trim(): void {
  const surplus = entries.childElementCount - MAX_ENTRIES;
  if (surplus <= 0) return;
  const drop = () => {
    for (let i = 0; i < surplus; i++) {
      if (removeFirst() !== undefined) view.more = true;
    }
    arrange(entries.firstElementChild);
  };
  if (view.reading.at === "above") keepPlace(drop);
  else drop();
}

/** Takes the oldest entry out; its id, if it had one. */
function removeFirst(): string | undefined {
  const first = entries.firstElementChild;
  if (!(first instanceof HTMLElement)) return undefined;
  const { id, time } = first.dataset;
  view.shown.delete(`${id}/${time}`);
  first.remove();
  return id;
}

/** Changes what is above, and keeps what is read where it is. */
function keepPlace(change: () => void): void {
  const { scrollHeight, scrollTop } = scroller;
  change();
  scroller.scrollTop = scrollTop + scroller.scrollHeight - scrollHeight;
}
