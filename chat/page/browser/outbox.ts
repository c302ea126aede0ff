/**
 * What was said but not seen to arrive.
 *
 * @module
 */

import { MAX_KEPT } from "./limits.ts";

/** A message is not sent yet, on its way, perhaps lost, or not taken by the server. */
export type Delivery =
  | { readonly kind: "waiting" }
  | { readonly kind: "sent"; readonly at: number }
  | { readonly kind: "doubtful" }
  | { readonly kind: "refused" };

/** A message that is to arrive. */
export interface OutboxItem {
  readonly text: string;
  room: string;
  delivery: Delivery;
}

/** A message as the server tells it to everyone. */
export interface Arrived {
  readonly type: "say" | "me";
  readonly text: string;
}

/** The messages that are not known to have arrived, oldest first. */
export class Outbox {
  readonly #items: OutboxItem[];

  /** Begins with what was kept before a reload. */
  constructor(kept: readonly unknown[] = []) {
    this.#items = kept.slice(0, MAX_KEPT).filter(isKept)
      .map(({ text, room, state }) => ({ text, room, delivery: { kind: state } }));
  }

  /** All of them. */
  get items(): readonly OutboxItem[] {
    return this.#items;
  }

  /** Whether no more messages are kept. */
  get full(): boolean {
    return this.#items.length >= MAX_KEPT;
  }

  /** How many are on their way. */
  get onTheirWay(): number {
    return this.#items.filter(({ delivery }) => delivery.kind === "sent").length;
  }

  /** Keeps a message that is to be sent. */
  add(text: string, room: string): void {
    this.#items.push({ text, room, delivery: { kind: "waiting" } });
  }

  /** The next message to send to a room. */
  next(room: string): OutboxItem | undefined {
    return this.#items.find((item) => item.delivery.kind === "waiting" && item.room === room);
  }

  /** Forgets a message. */
  drop(item: OutboxItem): void {
    const at = this.#items.indexOf(item);
    if (at >= 0) this.#items.splice(at, 1);
  }

  /** One's own message came back, so it has arrived. True if it was one of these. */
  confirm({ type, text }: Arrived): boolean {
    const mine = this.#items.filter(({ delivery: { kind } }) =>
      kind === "sent" || kind === "doubtful"
    );
    const said = (item: OutboxItem) => wordsOf(item.text);
    // The server may show characters differently; it answers in order.
    const item = mine.find((item) => said(item).type === type && said(item).text === text) ??
      mine.find((item) => item.delivery.kind === "sent" && said(item).type === type);
    if (item !== undefined) this.drop(item);
    return item !== undefined;
  }

  /** The server did not take the oldest message that is on its way. */
  refuse(): void {
    const item = this.#items.find(({ delivery }) => delivery.kind === "sent");
    if (item !== undefined) item.delivery = { kind: "refused" };
  }

  /** It is not known what became of the messages that were sent before a time. */
  doubt(before = Infinity): void {
    for (const item of this.#items) {
      const { delivery } = item;
      if (delivery.kind === "sent" && delivery.at < before) item.delivery = { kind: "doubtful" };
    }
  }

  /** Doubts what has been on its way for longer than `timeout`. */
  doubtLate(now: number, timeout: number): void {
    this.doubt(now - timeout);
  }

  /** What is on its way goes on only now. */
  sentAgain(now: number): void {
    for (const item of this.#items) {
      if (item.delivery.kind === "sent") item.delivery = { kind: "sent", at: now };
    }
  }

  /** A room is called otherwise now. */
  renameRoom(from: string, to: string): void {
    for (const item of this.#items) if (item.room === from) item.room = to;
  }

  /** What is kept over a reload, as JSON. */
  toJSON(): unknown {
    return this.#items.map(({ text, room, delivery: { kind } }) => ({
      text,
      room,
      state: kind === "sent" ? "doubtful" : kind,
    }));
  }
}

interface Kept {
  readonly text: string;
  readonly room: string;
  readonly state: "waiting" | "doubtful" | "refused";
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const { text, room, state } = value as Record<string, unknown>;
  return typeof text === "string" && typeof room === "string" &&
    (state === "waiting" || state === "doubtful" || state === "refused");
}

/** Whether a line does something, as with `/me`, rather than says it. */
export function isAction(text: string): boolean {
  return /^\/me\s/.test(text);
}

/** What the server will make of a line that was sent. */
function wordsOf(text: string): Arrived {
  return isAction(text)
    ? { type: "me", text: text.slice(4).trim() }
    : { type: "say", text: text.replace(/^\/\//, "/") };
}
