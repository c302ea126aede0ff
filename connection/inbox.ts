/** Messages that have arrived and wait for a reader, and readers that wait for a message. */

import { Deque } from "@std/data-structures";

/** What a message costs beside its bytes, so that a flood of tiny ones is bounded too. */
const MESSAGE_COST = 64;

interface Waiter {
  resolve(messages: Uint8Array[] | undefined): void;
  reject(error: unknown): void;
  readonly many: boolean;
}

/**
 * A queue between one writer and any number of readers. Readers are served in the order in which
 * they asked; each message goes to one of them. Messages stay in the batches they came in.
 */
export class Inbox {
  #batch: Uint8Array[] = [];
  #next = 0;
  readonly #later = new Deque<Uint8Array[]>();
  readonly #waiters = new Deque<Waiter>();
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
  put(batch: Uint8Array[]): void {
    for (const message of batch) this.#cost += message.length + MESSAGE_COST;
    this.#messages += batch.length;
    if (this.#next === this.#batch.length) {
      this.#batch = batch;
      this.#next = 0;
    } else {
      this.#later.pushBack(batch);
    }
    while (this.#messages > 0 && !this.#waiters.isEmpty()) {
      const waiter = this.#waiters.popFront()!;
      waiter.resolve(waiter.many ? this.#takeBatch() : [this.#takeOne()]);
    }
  }

  /** No more messages will come: readers get what waits, then the end or the error. */
  end(error?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = error ?? "ended";
    for (const waiter of this.#waiters) {
      if (error === undefined) waiter.resolve(undefined);
      else waiter.reject(error.error);
    }
    this.#waiters.clear();
  }

  /** As `end()`, but an orderly end that no reader has come to yet gives way to the error. */
  abort(error: unknown): void {
    if (this.#end === "ended" && this.#messages > 0) this.#end = { error };
    else this.end({ error });
  }

  /** Forgets what waits; returns how many messages that were. */
  clear(): number {
    const messages = this.#messages;
    this.#batch = [];
    this.#next = 0;
    this.#later.clear();
    this.#messages = 0;
    this.#cost = 0;
    return messages;
  }

  /** The next message if it is there now and nobody waits for it. */
  take(): Uint8Array | undefined {
    return this.#messages > 0 ? this.#takeOne() : undefined;
  }

  /** All messages of one batch if they are there now. */
  takeBatch(): Uint8Array[] | undefined {
    return this.#messages > 0 ? this.#takeBatch() : undefined;
  }

  /** Waits for the next message, or batch; undefined at the end. Only when `take()` gave nothing. */
  wait(many: boolean): Promise<Uint8Array[] | undefined> {
    if (this.#end === "ended") return Promise.resolve(undefined);
    if (this.#end !== "open") return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => this.#waiters.pushBack({ resolve, reject, many }));
  }

  #takeOne(): Uint8Array {
    const message = this.#batch[this.#next++];
    this.#messages--;
    this.#cost -= message.length + MESSAGE_COST;
    if (this.#next === this.#batch.length) this.#advance();
    return message;
  }

  #takeBatch(): Uint8Array[] {
    const batch = this.#next === 0 ? this.#batch : this.#batch.slice(this.#next);
    for (const message of batch) this.#cost -= message.length + MESSAGE_COST;
    this.#messages -= batch.length;
    this.#advance();
    return batch;
  }

  #advance(): void {
    this.#batch = this.#later.popFront() ?? [];
    this.#next = 0;
  }
}
