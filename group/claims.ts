/** Requests that wait for a worker, and how many are under way. */

import { RequestError } from "../errors.ts";
import { type Expiring, Timeouts } from "../request/internal.ts";
import type { ResolvedGroupOptions } from "./options.ts";
import type { WorkerLink } from "./worker_link.ts";
import type { Known, Roster } from "./roster.ts";

/** A worker with what this caller has to it. */
export type Worker = Known<WorkerLink>;

/** A request that wants a worker. */
export interface Claimant {
  readonly method: string;
  /** When there is no time left, on the clock of `performance.now()`; or `Infinity`. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  /** The workers that were too busy for it. */
  readonly refusedBy: ReadonlySet<string>;
  /** It has a worker now, which counts it as one more request until `release()`. */
  granted(worker: Worker): void;
  /** It will have none. */
  failed(error: unknown): void;
}

/** A claimant that waits. */
class Waiting implements Expiring {
  due = 0;
  delay = 0;

  constructor(
    readonly claimant: Claimant,
    readonly expired: () => void,
    readonly abort: () => void,
  ) {}
}

/** What claims need of their caller. */
export interface ClaimsOwner {
  readonly group: string;
  readonly roster: Roster<WorkerLink>;
  readonly options: ResolvedGroupOptions;
  /** Whether a worker takes what it is sent. */
  isStalled(worker: Worker): boolean;
}

/** Gives workers to requests, first come first served for each method. */
export class Claims {
  /** How many requests have a worker. */
  underWay = 0;

  readonly #owner: ClaimsOwner;
  readonly #timeouts = new Timeouts();
  /** Those that wait, by method. */
  readonly #waiting = new Map<string, Map<Claimant, Waiting>>();
  #count = 0;

  /** Nothing waits at first. */
  constructor(owner: ClaimsOwner) {
    this.#owner = owner;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#count;
  }

  /** Gives a worker now or later. With `now`, it fails if there is none now. */
  claim(claimant: Claimant, { now }: { readonly now?: () => unknown } = {}): void {
    if (this.#grant(claimant)) return;
    if (now !== undefined) return claimant.failed(now());
    const { group, options } = this.#owner;
    const { method, signal } = claimant;
    if (this.#count >= options.maxWaiting) {
      const what = `Cannot request ${method} of group ${group}`;
      return claimant.failed(
        new RequestError("busy", `${what}: ${this.#count} requests wait already`),
      );
    }
    const waiting = new Waiting(
      claimant,
      () => this.#expired(waiting),
      () => {
        this.#delete(waiting);
        claimant.failed(signal!.reason);
      },
    );
    const others = this.#waiting.get(method);
    if (others === undefined) this.#waiting.set(method, new Map([[claimant, waiting]]));
    else others.set(claimant, waiting);
    this.#count++;
    this.#expire(waiting);
    signal?.addEventListener("abort", waiting.abort, { once: true });
  }

  /** A request has no worker any more. Call `next()` when that has settled it. */
  release(worker: Worker): void {
    worker.requests--;
    this.underWay--;
  }

  /** Something has changed: whoever can have a worker now, gets one. */
  next(): void {
    if (this.#count === 0) return;
    for (const waiting of [...this.#waiting.values()]) {
      for (const [claimant, entry] of waiting) {
        if (!this.#grant(claimant, entry)) break;
      }
    }
  }

  /** Nobody gets a worker any more. */
  fail(error: (method: string) => Error): void {
    for (const waiting of [...this.#waiting.values()]) {
      for (const entry of [...waiting.values()]) {
        this.#delete(entry);
        entry.claimant.failed(error(entry.claimant.method));
      }
    }
    this.#timeouts.clear();
  }

  #grant(claimant: Claimant, waiting?: Waiting): boolean {
    const { roster, options } = this.#owner;
    if (this.underWay >= options.maxRequests) return false;
    const { refusedBy } = claimant;
    const worker = roster.choose(
      claimant.method,
      (known) => !refusedBy.has(known.id) && !this.#owner.isStalled(known),
    );
    if (worker === undefined) return false;
    if (waiting !== undefined) this.#delete(waiting);
    worker.requests++;
    this.underWay++;
    claimant.granted(worker);
    return true;
  }

  #delete(waiting: Waiting): void {
    const { claimant } = waiting;
    const others = this.#waiting.get(claimant.method);
    if (!others?.delete(claimant)) return;
    if (others.size === 0) this.#waiting.delete(claimant.method);
    this.#count--;
    this.#timeouts.remove(waiting, waiting.delay);
    claimant.signal?.removeEventListener("abort", waiting.abort);
  }

  #expire(waiting: Waiting): void {
    const left = Math.max(1, Math.ceil(waiting.claimant.deadline - performance.now()));
    waiting.delay = Math.min(this.#owner.options.workerTimeout, left);
    this.#timeouts.add(waiting, waiting.delay);
  }

  #expired(waiting: Waiting): void {
    const { claimant } = waiting;
    const { group, roster, options } = this.#owner;
    const what = `Cannot request ${claimant.method} of group ${group}`;
    const isLate = performance.now() >= claimant.deadline;
    // Workers are at work, and this caller's own limit is what it waits for.
    if (!isLate && this.underWay >= options.maxRequests) return this.#expire(waiting);
    this.#delete(waiting);
    const state = roster.serves(claimant.method)
      ? "no worker takes requests now"
      : "no worker serves it";
    claimant.failed(
      isLate
        ? new RequestError("timeout", `${what}: no answer in time, because ${state}`)
        : new RequestError("no-worker", `${what}: ${state}`),
    );
  }
}
