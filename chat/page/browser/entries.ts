/**
 * One entry of the log: a message, a private one, a notice.
 *
 * @module
 */

import { make } from "./elements.ts";
import type { EventOf, SaidEvent } from "./events.ts";
import { dateOf, hueOf, keyOf, mentionPattern, partsOf, textOf } from "./text.ts";
import { isMe, view } from "./view.ts";

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** A message; one without an id is not a place in the history. */
export type ShownMessage = Omit<SaidEvent, "id"> & { readonly id?: number };

/** The day of an entry, as it is shown. */
export function dayOf(element: HTMLElement): string {
  return calendar.format(timeOf(element));
}

/** The time of an entry. */
export function timeOf(element: HTMLElement): number {
  return Number(element.dataset.time);
}

/** What was said, or done with `/me`. */
export function messageEntry({ type, id, name, text, time }: ShownMessage): HTMLElement {
  const kind = type === "me" ? "me" : "say";
  const mine = isMe(name);
  const element = entry(kind, time, name);
  if (id !== undefined) element.dataset.id = String(id);
  const shown = shownText(textOf(text), mine);
  const colon = make("span", { className: "unseen", textContent: kind === "say" ? ": " : "" });
  element.append(make("div", {}, nameElement(name), colon, kind === "me" ? " " : "", shown));
  if (!mine && mentionPattern(view.me)?.test(textOf(text))) element.classList.add("mention");
  return element;
}

/** What a search has found: of any day, so with its date, and not a part of the history here. */
export function foundEntry(message: SaidEvent): HTMLElement {
  const element = messageEntry({ ...message, id: undefined });
  element.classList.add("found");
  element.dataset.author = "found";
  const time = element.querySelector("time")!;
  time.textContent = both.format(dateOf(message.time));
  element.querySelector("div")!.prepend(time, " ");
  element.prepend(make("time"));
  element.dataset.time = String(Date.now());
  return element;
}

/** What was said to one person only. */
export function tellEntry({ from, to, text, time }: EventOf<"tell">): HTMLElement {
  const element = entry("tell", time, `${from} ${to}`);
  const who = isMe(from)
    ? make("span", { className: "who" }, "You, privately to ", nameElement(to))
    : make("span", { className: "who" }, nameElement(from), " privately to you");
  const colon = make("span", { className: "unseen" }, ": ");
  element.append(make("div", {}, who, colon, shownText(textOf(text), true)));
  return element;
}

/** What the server, or the page, says for itself. */
export function noticeEntry(text: string, kind: "plain" | "error"): HTMLElement {
  const element = entry(kind === "error" ? "notice error" : "notice", Date.now());
  element.append(make("div", {}, shownText(textOf(text), true)));
  return element;
}

/** A name in its colour. */
export function nameElement(name: string): HTMLElement {
  const element = make("bdi", { className: "name", textContent: textOf(name) });
  element.style.setProperty("--hue", String(hueOf(name)));
  return element;
}

function entry(kind: string, time: unknown, author = ""): HTMLElement {
  const date = dateOf(time);
  const shown = make("time", {
    dateTime: date.toISOString(),
    title: both.format(date),
    textContent: clock.format(date),
  });
  const element = make("div", { className: `entry ${kind}` }, shown);
  element.dataset.time = String(date.getTime());
  element.dataset.author = `${kind} ${keyOf(author)}`;
  return element;
}

/** A text with its links, and the reader's own name marked unless the reader wrote it. */
function shownText(text: string, mine: boolean): HTMLElement {
  const element = make("span", { className: "text" });
  for (const part of partsOf(text)) {
    if (part.href === undefined) element.append(...marked(part.text, mine));
    else {
      element.append(make("a", {
        href: part.href,
        title: part.href,
        target: "_blank",
        rel: "noopener noreferrer",
        textContent: part.text,
      }));
    }
  }
  return element;
}

function* marked(text: string, mine: boolean): Generator<Node | string> {
  const pattern = mine ? undefined : mentionPattern(view.me);
  let end = 0;
  for (const found of pattern ? text.matchAll(pattern) : []) {
    yield text.slice(end, found.index);
    yield make("mark", { textContent: found[0] });
    end = found.index + found[0].length;
  }
  yield text.slice(end);
}
