/** One request of this end. */

import { RequestError } from "../errors.ts";
import type { CallTrace } from "../internal/telemetry.ts";
import type { ItemReader, ItemWriter } from "./streams.ts";
import type { Expiring, Timeouts } from "./timeouts.ts";

/** Options of a request. */
export interface StartOptions {
  /** When it is aborted, the request is given up. */
  readonly signal?: AbortSignal;
  /** Time for the answer in milliseconds, or `Infinity`. */
  readonly timeout?: number;
  /** Items to send along. */
  readonly items?: AsyncIterable<unknown> | Iterable<unknown>;
  /** The same when the request is made again. Only for a peer that is a worker of a group. */
  readonly key?: string;
}

/** The owner of a call. */
export interface CallOwner {
  /** A call was given up. */
  abandoned(call: Call, wasSent: boolean): void;
}

/** A request of this end, from its start to its answer. */
export class Call implements Expiring {
  id = 0;
  /** The size of its message. It counts against the allowance until the answer has come. */
  bytes = 0;
  due = 0;
  /** `abandoned` when nobody wants the answer any more. */
  state: "waiting" | "sent" | "abandoned" | "settled" = "waiting";
  /** The message while it waits. */
  message: Uint8Array | undefined;
  items: AsyncIterable<unknown> | Iterable<unknown> | undefined;
  /** Traces it, if something traces. */
  trace: CallTrace | undefined;
  /** The message without its trace context, as long as the peer may be one that knows none. */
  untraced: Uint8Array | undefined;
  /** Sends the items, until END was sent. */
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
    if (signal.aborted) return this.abort(signal.reason); // The program's items may have aborted it.
    const abort = () => this.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#unwatch = () => signal.removeEventListener("abort", abort);
  }

  /** Gives up after `timeout` milliseconds. */
  expireAfter(timeout: number, timeouts: Timeouts): void {
    this.#timeout = timeout;
    this.#timeouts = timeouts;
    timeouts.add(this, timeout);
  }

  /** The time for the answer is over. */
  expired(): void {
    this.abort(
      new RequestError(
        "timeout",
        `Cannot request ${this.method}: no answer within ${this.#timeout} ms`,
      ),
    );
  }

  /** Gives up with an error. Items that wait to be read are dropped. */
  abort(error: unknown): void {
    if (!this.#abandon()) return;
    this.trace?.end(error);
    this.#reject(error);
  }

  /** Gives up. Items that wait can still be read; the error comes after them. */
  giveUp(error?: unknown): void {
    if (!this.#abandon()) return;
    this.trace?.end(error);
    if (error === undefined) return;
    if (this.reader !== undefined) this.reader.end({ error });
    else this.#reject(error);
  }

  /** The answer has come. */
  succeed(value: unknown): void {
    this.#settle("settled");
    this.trace?.end();
    this.reader?.end();
    this.#resolve(value);
  }

  /** An error has come instead of an answer. Items that wait can still be read before it. */
  fail(error: unknown): void {
    this.#settle("settled");
    this.trace?.end(error);
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
    this.message = this.untraced = undefined;
    this.#timeouts?.remove(this, this.#timeout);
    this.#unwatch?.();
    this.writer?.stop();
  }
}
