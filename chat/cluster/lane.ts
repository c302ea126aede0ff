/** What this server has to say to the log: one entry under way at a time, so that nothing changes places. */

import { Deque } from "@std/data-structures";
import type { Deed } from "../engine/deeds.ts";
import { encodeBatch, type Item } from "./items.ts";

/** How many deeds one entry has at most. Ids of messages have room for them behind the entry's number. */
export const MAX_ITEMS = 999;
/** How many bytes of text one entry has at most, and what each deed counts for beside its text. */
const MAX_ENTRY_BYTES = 256 * 1024;
const ITEM_BYTES = 100;

/** A deed that is on its way. */
export interface Waiting {
  /** What is asked for, unless it is of the server itself. */
  readonly deed?: Deed;
  /** Writes it down, as it is when it is sent. */
  item(): Item;
  /** The text in it, to count it by. */
  readonly text: string;
  /** When it was asked for, by `performance.now()`. */
  readonly since: number;
  /** What it was called when it was shown here, before it had its place. */
  provisional?: string;
  /** Resolves when it has happened, or nobody need wait for it any more. */
  readonly done: PromiseWithResolvers<void>;
}

/** How a lane puts an entry into the log. */
type Append = (id: string, bytes: Uint8Array, signal: AbortSignal) => Promise<void>;

/** Sends what waits, in order and once. */
export class Lane {
  /** The name of the server in the log. It has another one after it was taken for gone. */
  home: string;
  readonly #append: Append;
  readonly #maxBytes: number;
  readonly #waiting = new Deque<Waiting>();
  #bytes = 0;
  /** The number of the last entry, and how many of those that wait are in it while it is under way. */
  #number = 0;
  #sent = 0;
  #sending = new AbortController();
  #isScheduled = false;

  /** At most so many bytes wait. */
  constructor(home: string, maxBytes: number, append: Append) {
    this.home = home;
    this.#maxBytes = maxBytes;
    this.#append = append;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Since when the first one waits, by `performance.now()`; undefined if none does. */
  get since(): number | undefined {
    return this.#waiting.peekFront()?.since;
  }

  /** All that wait. */
  get waiting(): Iterable<Waiting> {
    return this.#waiting;
  }

  /** Whether there is room for one more. */
  hasRoomFor(text: string): boolean {
    return this.#bytes + bytesOf(text) <= this.#maxBytes;
  }

  /** Takes one. It is sent when those before it have come back from the log. */
  add(what: Waiting): void {
    this.#waiting.pushBack(what);
    this.#bytes += bytesOf(what.text);
    this.#schedule();
  }

  /** The entry with this number has come back. Returns what was in it, or nothing if it was known. */
  arrived(number: number): Waiting[] {
    if (number !== this.#number || this.#sent === 0) return [];
    this.#sending.abort();
    const taken: Waiting[] = [];
    for (; this.#sent > 0; this.#sent--) {
      const what = this.#waiting.popFront()!;
      this.#bytes -= bytesOf(what.text);
      taken.push(what);
    }
    this.#schedule();
    return taken;
  }

  /** Begins anew under another name: first what is given is sent, then all that still waits. */
  restart(home: string, first: readonly Waiting[]): void {
    this.home = home;
    this.#sending.abort();
    this.#number = this.#sent = 0;
    for (const what of first.toReversed()) {
      this.#waiting.pushFront(what);
      this.#bytes += bytesOf(what.text);
    }
    this.#schedule();
  }

  /** Sends nothing more, and lets go who waits. */
  close(): void {
    this.#sending.abort();
    this.#isScheduled = true;
    for (const { done } of this.#waiting) done.resolve();
  }

  /** What else is asked for in this turn of the event loop goes into the same entry. */
  #schedule(): void {
    if (this.#isScheduled || this.#sent > 0 || this.#waiting.isEmpty()) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#sent > 0) return;
    const items: Item[] = [];
    let bytes = 0;
    for (const what of this.#waiting) {
      bytes += bytesOf(what.text);
      if (items.length === MAX_ITEMS || items.length > 0 && bytes > MAX_ENTRY_BYTES) break;
      items.push(what.item());
    }
    if (items.length === 0) return;
    this.#sent = items.length;
    const number = ++this.#number;
    this.#sending = new AbortController();
    const entry = encodeBatch({ from: this.home, number, items });
    this.#append(`${this.home} ${number}`, entry, this.#sending.signal);
  }
}

/** A character has up to six bytes, if it is written out in JSON. */
function bytesOf(text: string): number {
  return ITEM_BYTES + 3 * text.length;
}
