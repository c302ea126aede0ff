/** Messages that have arrived and wait for a reader, and readers that wait for a message. */

import { Deque } from "@std/data-structures";

/** What a message costs beside its bytes, so that a flood of tiny ones is bounded too. */
const MESSAGE_COST = 64;

/** What a waiting reader is given: a message, a message as a result of an iterator, or a batch. */
export interface Wanted {
  message: Uint8Array | undefined;
  result: IteratorResult<Uint8Array, undefined>;
  batch: Uint8Array[] | undefined;
}

interface Waiter {
  resolve(given: Wanted[keyof Wanted]): void;
  reject(error: unknown): void;
  readonly want: keyof Wanted;
}

/** Messages that came together, with what those of them cost that still wait. */
interface Batch {
  readonly messages: Uint8Array[];
  cost: number;
}

const END = { done: true, value: undefined } as const;
const NOTHING: Batch = { messages: [], cost: 0 };

/**
 * A queue between one writer and any number of readers. Readers are served in the order in which
 * they asked; each message goes to one of them. Messages stay in the batches they came in.
 */
export class Inbox {
  #batch: Batch = NOTHING;
  #next = 0;
  /** What most inboxes never need, thousands of idle ones above all, is made when it is needed. */
  #later: Deque<Batch> | undefined;
  #waiter: Waiter | undefined;
  #laterWaiters: Deque<Waiter> | undefined;
  #end: "open" | "ended" | { readonly error: unknown } = "open";
  #messages = 0;
  #cost = 0;

  /** Messages that wait. */
  get messages(): number {
    return this.#messages;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#cost - this.#messages * MESSAGE_COST;
  }

  /** Bytes that wait, with what the messages cost beside their bytes. */
  get cost(): number {
    return this.#cost;
  }

  /** Adds messages. The array belongs to the inbox from now on. */
  put(messages: Uint8Array[]): void {
    let cost = messages.length * MESSAGE_COST;
    for (const message of messages) cost += message.length;
    this.#cost += cost;
    this.#messages += messages.length;
    const batch = { messages, cost };
    if (this.#next < this.#batch.messages.length) (this.#later ??= new Deque()).pushBack(batch);
    else {
      this.#batch = batch;
      this.#next = 0;
    }
    while (this.#messages > 0 && this.#waiter !== undefined) {
      const { want, resolve } = this.#nextWaiter()!;
      if (want === "batch") resolve(this.#takeBatch());
      else if (want === "message") resolve(this.#takeOne());
      else resolve({ done: false, value: this.#takeOne() });
    }
  }

  /** No more messages will come: readers get what waits, then the end or the error. */
  end(error?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = error ?? "ended";
    for (let waiter; (waiter = this.#nextWaiter()) !== undefined;) {
      if (error !== undefined) waiter.reject(error.error);
      else waiter.resolve(waiter.want === "result" ? END : undefined);
    }
  }

  /** As `end()`, but an orderly end that no reader has come to yet gives way to the error. */
  abort(error: unknown): void {
    if (this.#end === "ended" && this.#messages > 0) this.#end = { error };
    else this.end({ error });
  }

  /** Forgets what waits. */
  clear(): void {
    this.#batch = NOTHING;
    this.#next = 0;
    this.#later = undefined;
    this.#messages = 0;
    this.#cost = 0;
  }

  /** The next message if it is there now and nobody waits for it. */
  take(): Uint8Array | undefined {
    return this.#messages > 0 ? this.#takeOne() : undefined;
  }

  /** All messages of one batch if they are there now. */
  takeBatch(): Uint8Array[] | undefined {
    return this.#messages > 0 ? this.#takeBatch() : undefined;
  }

  /** Waits for what is wanted, or the end. Only when `take()` gave nothing. */
  wait<K extends keyof Wanted>(want: K): Promise<Wanted[K]> {
    if (this.#end === "ended") {
      return Promise.resolve((want === "result" ? END : undefined) as Wanted[K]);
    }
    if (this.#end !== "open") return Promise.reject(this.#end.error);
    return new Promise<Wanted[K]>((resolve, reject) => {
      const waiter = { resolve: resolve as Waiter["resolve"], reject, want };
      if (this.#waiter === undefined) this.#waiter = waiter;
      else (this.#laterWaiters ??= new Deque()).pushBack(waiter);
    });
  }

  #nextWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = this.#laterWaiters?.popFront();
    return waiter;
  }

  #takeOne(): Uint8Array {
    const message = this.#batch.messages[this.#next++];
    const cost = message.length + MESSAGE_COST;
    this.#messages--;
    this.#cost -= cost;
    this.#batch.cost -= cost;
    if (this.#next === this.#batch.messages.length) this.#advance();
    return message;
  }

  #takeBatch(): Uint8Array[] {
    const { messages, cost } = this.#batch;
    const batch = this.#next === 0 ? messages : messages.slice(this.#next);
    this.#cost -= cost;
    this.#messages -= batch.length;
    this.#advance();
    return batch;
  }

  #advance(): void {
    this.#batch = this.#later?.popFront() ?? NOTHING;
    this.#next = 0;
  }
}
