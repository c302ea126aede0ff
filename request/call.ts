/** One request of this end. */

import { RequestError } from "../errors.ts";
import type { ItemReader, ItemWriter } from "./streams.ts";
import type { Expiring, Timeouts } from "./timeouts.ts";

/** What a request is started with. */
export interface StartOptions {
  /** Gives the request up. */
  readonly signal?: AbortSignal;
  /** Milliseconds, or `Infinity`. */
  readonly timeout?: number;
  /** Items to send along. */
  readonly items?: AsyncIterable<unknown> | Iterable<unknown>;
}

/** Who sends what a call has to tell the peer. */
export interface CallOwner {
  /** A call was given up. */
  abandoned(call: Call, wasSent: boolean): void;
}

/** A request from its beginning to its answer. */
export class Call implements Expiring {
  id = 0;
  /** The size of its message, which counts until the answer has come. */
  bytes = 0;
  due = 0;
  /** `abandoned` when nobody wants the answer any more. */
  state: "waiting" | "sent" | "abandoned" | "settled" = "waiting";
  /** The message while it waits. */
  message: Uint8Array | undefined;
  items: AsyncIterable<unknown> | Iterable<unknown> | undefined;
  /** Sends the items, until their end was sent. */
  writer: ItemWriter | undefined;

  readonly #owner: CallOwner;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #timeout = 0;
  #timeouts: Timeouts | undefined;
  #unwatch: (() => void) | undefined;

  constructor(
    owner: CallOwner,
    readonly method: string,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    /** Where the items go, for a stream. */
    readonly reader?: ItemReader<unknown>,
  ) {
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Gives up when the signal is aborted. */
  watch(signal: AbortSignal): void {
    if (signal.aborted) return this.abort(signal.reason); // By whoever gives the items, perhaps.
    const abort = () => this.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#unwatch = () => signal.removeEventListener("abort", abort);
  }

  /** Gives up after so many milliseconds. */
  expireAfter(timeout: number, timeouts: Timeouts): void {
    this.#timeout = timeout;
    this.#timeouts = timeouts;
    timeouts.add(this, timeout);
  }

  /** Time is over. */
  expired(): void {
    this.abort(
      new RequestError(
        "timeout",
        `Cannot request ${this.method}: no answer within ${this.#timeout} ms`,
      ),
    );
  }

  /** Gives up with an error that comes before what waits to be read. */
  abort(error: unknown): void {
    if (this.#abandon()) this.#reject(error);
  }

  /** Gives up; what a stream gave before may still be read, then comes the error. */
  giveUp(error?: unknown): void {
    if (!this.#abandon() || error === undefined) return;
    if (this.reader !== undefined) this.reader.end({ error });
    else this.#reject(error);
  }

  /** The answer. */
  succeed(value: unknown): void {
    this.#settle("settled");
    this.reader?.end();
    this.#resolve(value);
  }

  /** The error in the place of an answer. What a stream gave before it may still be read. */
  fail(error: unknown): void {
    this.#settle("settled");
    if (this.reader !== undefined) this.reader.end({ error });
    else this.#reject(error);
  }

  #abandon(): boolean {
    if (this.state !== "waiting" && this.state !== "sent") return false;
    const wasSent = this.state === "sent";
    this.#settle("abandoned");
    this.#owner.abandoned(this, wasSent);
    return true;
  }

  #settle(state: "abandoned" | "settled"): void {
    this.state = state;
    this.message = undefined;
    this.#timeouts?.remove(this, this.#timeout);
    this.#unwatch?.();
    this.writer?.stop();
  }
}
