/**
 * What goes out: messages one after another, each shown until it has arrived, and commands.
 *
 * @module
 */

import { $, line, make } from "./elements.ts";
import type { SaidEvent } from "./events.ts";
import { inbox } from "./inbox.ts";
import { link } from "./link.ts";
import { notice, settle } from "./log.ts";
import { type Delivery, Outbox, type OutboxItem } from "./outbox.ts";
import { BURST, PACE, Pace } from "./pace.ts";
import { restore } from "./restore.ts";
import { storage } from "./storage.ts";
import { roomLabel, textOf } from "./text.ts";
import { isMe, view } from "./view.ts";

/** What was said but not seen to arrive. */
export const outbox: Outbox = new Outbox(storage.list("outbox"));

/** Commands typed here whose answer is to be shown. */
export const typed = new Set<string>();

const pace = new Pace();
let nextFlush: ReturnType<typeof setTimeout> | undefined;
let lastSent: "message" | "command" = "message";
let keptOutbox: string | undefined;

/**
 * Sends what is waiting for this room, no faster than servers take it. What is on its way while there
 * is no network arrives at once afterwards, so that is kept small too.
 */
export function flush(): void {
  clearTimeout(nextFlush);
  if (link.state.kind === "open" && restore.settled) {
    const now = Date.now();
    for (let item; (item = outbox.next(view.room)) !== undefined;) {
      if (outbox.onTheirWay >= BURST || !pace.take(now)) {
        nextFlush = setTimeout(flush, PACE);
        break;
      }
      item.delivery = { kind: "sent", at: now };
      lastSent = "message";
      link.send(item.text);
    }
  }
  showOutbox();
}

/** There is a network again, which takes what was sent meanwhile; the rest follows. */
export function goOn(): void {
  const now = Date.now();
  outbox.sentAgain(now);
  pace.spend(now);
  flush();
}

/** A message of one's own has come back, so it has arrived. */
export function confirm(message: SaidEvent): void {
  if (!isMe(message.name) && message.name !== restore.chosen) return;
  if (outbox.confirm(message)) showOutbox();
}

/** The server did not take what was sent last; if that was a message, which one can be told. */
export function noteRefusal(): void {
  if (lastSent !== "message") return;
  outbox.refuse();
  showOutbox();
}

/** Sends a command; false when there is no connection. */
export function command(text: string): boolean {
  const [, name, argument] = /^\/(\S*)\s*(.*)$/s.exec(text)!;
  if (link.state.kind !== "open") {
    notice(`Not connected: /${name} was not sent.`, "error");
    return false;
  }
  // The server closes; that is no reason to come back.
  if (name === "quit") link.leave("reader");
  if (name === "nick") {
    restore.settleName();
    if (argument) restore.chosen = undefined;
  }
  typed.add(name);
  lastSent = "command";
  link.send(text);
  return true;
}

/** Shows and keeps the outbox, now or after what is being taken. */
export function showOutbox(): void {
  inbox.soon(drawOutbox);
}

function drawOutbox(): void {
  const kept = JSON.stringify(outbox);
  if (kept !== keptOutbox) storage.set("outbox", keptOutbox = kept);
  // What arrives at once is not worth a line.
  const now = Date.now();
  const shown = outbox.items.filter(({ delivery }) =>
    delivery.kind !== "sent" || now - delivery.at > 1000
  );
  const list = $("outbox").querySelector("ul")!;
  $("outbox").hidden = shown.length === 0;
  const state = JSON.stringify(
    shown.map((item) => [item.text, item.delivery.kind, item.room === view.room]),
  );
  if (list.dataset.shown === state) return;
  list.dataset.shown = state;
  list.replaceChildren(...shown.map(rowOf));
  settle();
}

function rowOf(item: OutboxItem): HTMLElement {
  const words: Record<Delivery["kind"], string> = {
    waiting: item.room === view.room ? "Waiting" : `Waiting for ${roomLabel(item.room)}`,
    sent: "Sending",
    doubtful: "Perhaps not delivered",
    refused: "Not taken",
  };
  const { kind } = item.delivery;
  const text = make("span", { className: "text", textContent: textOf(item.text), dir: "auto" });
  const row = make("li", {}, make("span", {}, words[kind]), text);
  if (kind === "doubtful" || kind === "refused") {
    row.append(rowButton("Send again", () => {
      item.delivery = { kind: "waiting" };
      line.focus();
      flush();
    }));
  }
  row.append(rowButton("Discard", () => {
    line.focus();
    outbox.drop(item);
    showOutbox();
  }));
  return row;
}

function rowButton(textContent: string, onclick: () => void): HTMLElement {
  return make("button", { type: "button", textContent, onclick });
}
