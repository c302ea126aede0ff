/** Timeouts of many requests on one timer. */

import { Wakeup } from "../internal/time.ts";

/** Something with a timeout. */
export interface Expiring {
  /** When it expires, on the clock of `performance.now()`. Set by {@linkcode Timeouts}. */
  due: number;
  /** Called once when it expires. Must not throw. */
  expired(): void;
}

/**
 * Many timeouts on one timer. Timeouts of the same length are in one set. They expire in the order
 * in which they were added, which is the order of the set. So the timer looks only at the first
 * ones of each set, and to add or remove a timeout is cheap.
 */
export class Timeouts {
  readonly #byDelay = new Map<number, Set<Expiring>>();
  readonly #timer = new Wakeup((now) => this.#look(now), { patient: true });

  /** Starts a timeout of `delay` milliseconds. */
  add(entry: Expiring, delay: number): void {
    let entries = this.#byDelay.get(delay);
    if (entries === undefined) this.#byDelay.set(delay, entries = new Set());
    entries.add(entry);
    entry.due = performance.now() + delay;
    if (entry.due < this.#timer.due) this.#timer.at(entry.due);
  }

  /** Stops a timeout. */
  remove(entry: Expiring, delay: number): void {
    const entries = this.#byDelay.get(delay);
    if (entries?.delete(entry) && entries.size === 0) this.#byDelay.delete(delay);
  }

  /** Stops all timeouts, and clears the timer. */
  clear(): void {
    this.#byDelay.clear();
    this.#timer.clear();
  }

  #look(now: number): void {
    const expired: Expiring[] = [];
    let next = Infinity;
    for (const [delay, entries] of this.#byDelay) {
      for (const entry of entries) {
        if (entry.due > now) {
          next = Math.min(next, entry.due);
          break;
        }
        entries.delete(entry);
        expired.push(entry);
      }
      if (entries.size === 0) this.#byDelay.delete(delay);
    }
    this.#timer.at(next);
    for (const entry of expired) entry.expired();
  }
}
