/** Streams of items between the two ends, with flow control by credit. */

import { Deque } from "@std/data-structures";
import { attempt } from "../internal/handled.ts";
import type { Window } from "./wire.ts";

/** The owner of a reader. */
export interface ReaderOwner {
  /** The first item is asked for. May throw an error, with which the stream then fails. */
  begin(): void;
  /** Items were taken: the peer may send as many more as `credit` says. */
  grant(credit: Window): void;
  /** Nobody wants more items. */
  stopped(): void;
}

const DONE = { done: true, value: undefined } as const;

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * The receiving end of a stream. Nothing happens before the first `next()`. Items that came before an
 * error are given out before the error.
 */
export class ItemReader<T> implements AsyncIterableIterator<T, undefined> {
  readonly #owner: ReaderOwner;
  readonly #window: Window;
  readonly #items = new Deque<{ readonly value: T; readonly bytes: number }>();
  readonly #waiters = new Deque<Waiter<T>>();
  #state: "fresh" | "open" | "ended" | { readonly error: unknown } = "fresh";
  /** The credit of the peer: how much it may send before it is granted more. */
  #creditItems: number;
  #creditBytes: number;
  /** How much was taken and not yet granted again. */
  #takenItems = 0;
  #takenBytes = 0;

  constructor(window: Window, owner: ReaderOwner) {
    this.#owner = owner;
    this.#window = window;
    this.#creditItems = window.items;
    this.#creditBytes = window.bytes;
  }

  /**
   * Takes an item whose message has `bytes` bytes, or the error if the item is not valid. Returns
   * false if there was no credit for it.
   */
  put(value: T, bytes: number, error?: { readonly error: unknown }): boolean {
    if (this.#state === "fresh" || this.#creditItems < 1 || this.#creditBytes < 1) return false;
    this.#creditItems--;
    this.#creditBytes -= bytes;
    if (error !== undefined) this.end(error);
    if (this.#state !== "open") return true; // The item is not wanted any more.
    const waiter = this.#waiters.popFront();
    if (waiter === undefined) this.#items.pushBack({ value, bytes });
    else {
      waiter.resolve({ done: false, value });
      this.#taken(bytes);
    }
    return true;
  }

  /** No more items will come: the end, or an error. The first call counts. */
  end(error?: { readonly error: unknown }): void {
    if (this.#state !== "fresh" && this.#state !== "open") return;
    this.#state = error === undefined || this.#waiters.isEmpty() ? error ?? "ended" : "ended";
    const first = this.#waiters.popFront();
    if (error === undefined) first?.resolve(DONE);
    else first?.reject(error.error);
    for (const waiter of this.#waiters) waiter.resolve(DONE);
    this.#waiters.clear();
  }

  /** Drops the items that wait, and ends with an error. */
  abort(error: unknown): void {
    this.#items.clear();
    if (this.#state === "ended") return;
    this.end({ error });
  }

  /** The next item. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#state === "fresh") {
      this.#state = "open";
      try {
        this.#owner.begin();
      } catch (error) {
        this.end({ error });
      }
    }
    const item = this.#items.popFront();
    if (item !== undefined) {
      if (this.#state === "open") this.#taken(item.bytes);
      return Promise.resolve({ done: false, value: item.value });
    }
    if (this.#state === "open") {
      return new Promise((resolve, reject) => this.#waiters.pushBack({ resolve, reject }));
    }
    const end = this.#state;
    this.#state = "ended";
    return typeof end === "object" ? Promise.reject(end.error) : Promise.resolve(DONE);
  }

  /** Ends the stream at this end, and tells the peer. `break` calls this. */
  return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = this.#state === "open";
    this.#items.clear();
    this.end();
    this.#state = "ended";
    if (wasOpen) this.#owner.stopped();
    return Promise.resolve(DONE);
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the stream. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Grants credit again after each half window: that needs few messages, and some credit is left. */
  #taken(bytes: number): void {
    const { items, bytes: windowBytes } = this.#window;
    this.#takenItems++;
    this.#takenBytes += bytes;
    if (this.#takenItems * 2 < items && this.#takenBytes * 2 < windowBytes) return;
    const credit = { items: this.#takenItems, bytes: this.#takenBytes };
    this.#takenItems = 0;
    this.#takenBytes = 0;
    this.#creditItems += credit.items;
    this.#creditBytes += credit.bytes;
    this.#owner.grant(credit);
  }
}

/** Sends the items of a writer. */
export interface WriterTarget {
  /** Sends an item, and returns the size of its message. Throws if it cannot be sent. */
  send(value: unknown): number;
  /** Whether messages that can wait should wait. */
  readonly full: boolean;
  /** Resolves when the target is not full any more. */
  ready(): Promise<void>;
}

/** More credit than this is a mistake of the peer. */
const MAX_CREDIT = 2 ** 48;

/** Whether an amount of credit is plausible. */
export function isMeant({ items, bytes }: Window): boolean {
  return items <= MAX_CREDIT && bytes <= MAX_CREDIT;
}

/** The sending end of a stream: takes as many items from an iterable as the peer has granted. */
export class ItemWriter {
  readonly #target: WriterTarget;
  #items: number;
  #bytes: number;
  #state: "open" | "stopped" = "open";
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #returning: Promise<unknown> | undefined;
  #wake: (() => void) | undefined;

  constructor(target: WriterTarget, credit: Window = { items: 0, bytes: 0 }) {
    this.#target = target;
    this.#items = credit.items;
    this.#bytes = credit.bytes;
  }

  /** The peer grants more credit. Returns false if the credit is not plausible. */
  grant({ items, bytes }: Window): boolean {
    this.#items += items;
    this.#bytes += bytes;
    this.#wake?.();
    return isMeant({ items: this.#items, bytes: this.#bytes });
  }

  /**
   * Sends the items of an iterable. Resolves to true at its end, and to false if the writer was
   * stopped. If it was stopped, or an item cannot be sent, `return()` of the iterator was called.
   */
  async run(iterable: AsyncIterable<unknown> | Iterable<unknown>): Promise<boolean> {
    const iterator = this.#iterator = Symbol.asyncIterator in iterable
      ? iterable[Symbol.asyncIterator]()
      : iterable[Symbol.iterator]();
    for (;;) {
      while (this.#mustWait()) {
        await (this.#target.full ? this.#target.ready() : this.#credit());
      }
      if (this.#isStopped()) break;
      const { done, value } = await iterator.next();
      if (done) return true;
      if (this.#isStopped()) break;
      try {
        this.#items--;
        this.#bytes -= this.#target.send(value);
      } catch (error) {
        this.stop();
        await this.#returning;
        throw error;
      }
    }
    this.stop();
    await this.#returning;
    return false;
  }

  /** Sends no more, and calls `return()` of the iterator. */
  stop(): void {
    this.#state = "stopped";
    this.#wake?.();
    // Errors of return() are ignored: everybody knows that the stream has ended.
    this.#returning ??= this.#iterator &&
      attempt(() => this.#iterator!.return?.()).catch(() => {});
  }

  #isStopped(): boolean {
    return this.#state === "stopped";
  }

  #mustWait(): boolean {
    return this.#state === "open" && (this.#items < 1 || this.#bytes < 1 || this.#target.full);
  }

  #credit(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
