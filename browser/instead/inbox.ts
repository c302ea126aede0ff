/** Messages that wait for a reader, and readers that wait for a message, in a page. */

import { Deque } from "@std/data-structures";
import type { Wanted } from "../../connection/inbox.ts";
import { Batch } from "./batch.ts";

const MESSAGE_COST = 64;
const END = { done: true, value: undefined } as const;

interface Waiter {
  readonly want: keyof Wanted;
  resolve(given: unknown): void;
  reject(error: unknown): void;
}

/** As the whole of it, without what is for switching the framing, and message by message. */
export class Inbox {
  bytes = 0;
  readonly #queue = new Deque<Uint8Array>();
  readonly #waiters = new Deque<Waiter>();
  #end: "open" | "ended" | { readonly error: unknown } = "open";

  /** How many messages wait. */
  get messages(): number {
    return this.#queue.length;
  }

  /** How many bytes wait, and some for each message. */
  get cost(): number {
    return this.bytes + this.messages * MESSAGE_COST;
  }

  /** Adds messages. */
  put(messages: readonly Uint8Array[]): void {
    for (const message of messages) {
      this.#queue.pushBack(message);
      this.bytes += message.length;
    }
    while (!this.#queue.isEmpty() && !this.#waiters.isEmpty()) {
      const { want, resolve } = this.#waiters.popFront()!;
      resolve(this.#give(want));
    }
  }

  #give(want: keyof Wanted): unknown {
    if (want === "batch") return this.takeBatch();
    if (want === "raw") return this.takeRaw();
    const value = this.take();
    return want === "message" ? value : { done: false, value };
  }

  /** No more messages will come. */
  end(error?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = error ?? "ended";
    for (const { want, resolve, reject } of this.#waiters) {
      if (error !== undefined) reject(error.error);
      else resolve(want === "result" ? END : undefined);
    }
    this.#waiters.clear();
  }

  /** As `end()` with an error. Also replaces an orderly end that no reader has reached yet. */
  abort(error: unknown): void {
    if (this.#end === "ended" && this.messages > 0) this.#end = { error };
    else this.end({ error });
  }

  /** Drops the messages that wait. */
  clear(): void {
    this.#queue.clear();
    this.bytes = 0;
  }

  /** The next message; undefined if none waits. */
  take(): Uint8Array | undefined {
    const message = this.#queue.popFront();
    this.bytes -= message?.length ?? 0;
    return message;
  }

  /** All messages that wait; undefined if none does. */
  takeBatch(): Uint8Array[] | undefined {
    if (this.#queue.isEmpty()) return undefined;
    const messages = [...this.#queue];
    this.clear();
    return messages;
  }

  /** The same as a batch. */
  takeRaw(): Batch | undefined {
    const messages = this.takeBatch();
    return messages && new Batch(messages);
  }

  /** Waits for what is wanted, or for the end. Call it only after `take()` has given nothing. */
  wait<K extends keyof Wanted>(want: K): Promise<Wanted[K]> {
    const end = this.#end;
    if (typeof end === "object") return Promise.reject(end.error);
    return new Promise((resolve, reject) => {
      if (end === "ended") resolve((want === "result" ? END : undefined) as Wanted[K]);
      else this.#waiters.pushBack({ want, resolve: resolve as Waiter["resolve"], reject });
    });
  }
}
