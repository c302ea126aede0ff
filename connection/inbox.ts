/** Queues of messages that wait for a reader, and of readers that wait for a message. */

import { Deque } from "@std/data-structures";
import { Batch } from "../codec.ts";
import type { Raw } from "./raw.ts";

/** What a message costs in addition to its bytes, so that many tiny messages are limited, too. */
const MESSAGE_COST = 64;

/**
 * What a reader may wait for: a message, a message as the result of an iterator, or a batch, as an array
 * or without a view for each message.
 */
export interface Wanted {
  message: Uint8Array | undefined;
  result: IteratorResult<Uint8Array, undefined>;
  batch: Uint8Array[] | undefined;
  raw: Batch | undefined;
}

interface Waiter {
  resolve(given: Wanted[keyof Wanted]): void;
  reject(error: unknown): void;
  readonly want: keyof Wanted;
}

/** Messages of one chunk, and the cost of those that still wait. */
interface Queued {
  readonly messages: Uint8Array[] | Batch;
  cost: number;
  /** The bytes that the messages were decoded from; undefined if they are not known. */
  readonly raw: Raw | undefined;
}

/** What waits, as it was received. */
export interface Waiting {
  /** The messages of the first batch that were taken. */
  readonly taken: readonly Uint8Array[];
  /** The bytes of each batch. Those of the first one begin with the messages that were taken. */
  readonly raws: readonly (Raw | undefined)[];
}

const END = { done: true, value: undefined } as const;
const NOTHING: Queued = { messages: [], cost: 0, raw: undefined };

/**
 * A queue between one writer and any number of readers. Readers are served in the order in which they
 * asked. Each message goes to one reader. Messages stay in the batches in which they came.
 */
export class Inbox {
  #batch: Queued = NOTHING;
  #next = 0;
  /**
   * Further batches. Created when it is needed: the inboxes of thousands of idle connections never
   * do.
   */
  #later: Deque<Queued> | undefined;
  #waiter: Waiter | undefined;
  #laterWaiters: Deque<Waiter> | undefined;
  #end: "open" | "ended" | { readonly error: unknown } = "open";
  #lastEnd: "ended" | { readonly error: unknown } | undefined;
  #messages = 0;
  #cost = 0;

  /** How many messages wait. */
  get messages(): number {
    return this.#messages;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#cost - this.#messages * MESSAGE_COST;
  }

  /** How many bytes wait, plus the additional cost of each message. */
  get cost(): number {
    return this.#cost;
  }

  /** Whether a reader waits. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** Adds messages. From now on they belong to the inbox. `raw` is what they were decoded from. */
  put(messages: Uint8Array[] | Batch, raw?: Raw): void {
    if (messages.length === 1 && this.#waiter !== undefined && isArray(messages)) {
      // Nothing is queued, so a single message needs no batch.
      const { want, resolve } = this.#nextWaiter()!;
      const [message] = messages;
      if (want === "message") resolve(message);
      else if (want === "result") resolve({ done: false, value: message });
      else resolve(want === "batch" ? messages : batchOf(messages));
      return;
    }
    const cost = messages.length * MESSAGE_COST + bytesOf(messages);
    this.#cost += cost;
    this.#messages += messages.length;
    const batch = { messages, cost, raw };
    if (this.#next < this.#batch.messages.length) (this.#later ??= new Deque()).pushBack(batch);
    else {
      this.#batch = batch;
      this.#next = 0;
    }
    while (this.#messages > 0 && this.#waiter !== undefined) {
      const { want, resolve } = this.#nextWaiter()!;
      if (want === "batch") resolve(this.#takeBatch());
      else if (want === "raw") resolve(this.#takeRaw());
      else if (want === "message") resolve(this.#takeOne());
      else resolve({ done: false, value: this.#takeOne() });
    }
  }

  /** No more messages will come. Readers get the messages that wait, and then the end or the error. */
  end(error?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = error ?? "ended";
    for (let waiter; (waiter = this.#nextWaiter()) !== undefined;) {
      if (error !== undefined) waiter.reject(error.error);
      else waiter.resolve(waiter.want === "result" ? END : undefined);
    }
  }

  /** As `end()` with an error. Also replaces an orderly end that no reader has reached yet. */
  abort(error: unknown): void {
    if (this.#end === "ended" && this.#messages > 0) this.#end = { error };
    else this.end({ error });
  }

  /** What waits, as it was received. */
  get waiting(): Waiting {
    if (this.#messages === 0) return { taken: [], raws: [] };
    return {
      taken: arrayOf(this.#batch.messages, 0, this.#next),
      raws: [this.#batch, ...this.#later ?? []].map(({ raw }) => raw),
    };
  }

  /** Takes back the end, if there was one, to add messages before it. */
  reopen(): void {
    if (this.#end === "open") return;
    this.#lastEnd = this.#end;
    this.#end = "open";
  }

  /** Ends as before `reopen()`. */
  endAgain(): void {
    if (this.#lastEnd !== undefined) {
      this.end(this.#lastEnd === "ended" ? undefined : this.#lastEnd);
    }
  }

  /** Drops the messages that wait. */
  clear(): void {
    this.#batch = NOTHING;
    this.#next = 0;
    this.#later = undefined;
    this.#messages = 0;
    this.#cost = 0;
  }

  /** The next message; undefined if none waits. */
  take(): Uint8Array | undefined {
    return this.#messages > 0 ? this.#takeOne() : undefined;
  }

  /** The rest of the next batch; undefined if no message waits. */
  takeBatch(): Uint8Array[] | undefined {
    return this.#messages > 0 ? this.#takeBatch() : undefined;
  }

  /** As `takeBatch()`, without a view for each message. */
  takeRaw(): Batch | undefined {
    return this.#messages > 0 ? this.#takeRaw() : undefined;
  }

  /** Waits for what is wanted, or for the end. Call it only after `take()` has given nothing. */
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
    const { messages } = this.#batch;
    const message = isArray(messages) ? messages[this.#next++] : messages.at(this.#next++)!;
    const cost = message.length + MESSAGE_COST;
    this.#messages--;
    this.#cost -= cost;
    this.#batch.cost -= cost;
    if (this.#next === this.#batch.messages.length) this.#advance();
    return message;
  }

  #takeBatch(): Uint8Array[] {
    const { messages } = this.#batch;
    const from = this.#next;
    this.#taken();
    return from === 0 && isArray(messages) ? messages : arrayOf(messages, from);
  }

  #takeRaw(): Batch {
    const { messages } = this.#batch;
    const from = this.#next;
    this.#taken();
    return from === 0 && !isArray(messages) ? messages : batchOf(arrayOf(messages, from));
  }

  /** The rest of the batch was taken. */
  #taken(): void {
    const { messages, cost } = this.#batch;
    this.#cost -= cost;
    this.#messages -= messages.length - this.#next;
    this.#advance();
  }

  #advance(): void {
    this.#batch = this.#later?.popFront() ?? NOTHING;
    this.#next = 0;
  }
}

const isArray: (messages: Uint8Array[] | Batch) => messages is Uint8Array[] = Array.isArray;

function bytesOf(messages: Uint8Array[] | Batch): number {
  if (!isArray(messages)) return messages.byteLength;
  let bytes = 0;
  for (const message of messages) bytes += message.length;
  return bytes;
}

function arrayOf(messages: Uint8Array[] | Batch, from: number, to?: number): Uint8Array[] {
  return isArray(messages) ? messages.slice(from, to) : messages.toArray(from, to);
}

function batchOf(messages: Uint8Array[]): Batch {
  const batch = new Batch();
  batch.addOwn(messages);
  return batch;
}
