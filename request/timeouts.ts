/** Timeouts of many requests on one timer. */

import { Wakeup } from "../internal/time.ts";

/** Something that may run out of time. */
export interface Expiring {
  /** When, on the clock of `performance.now()`; set by {@linkcode Timeouts}. */
  due: number;
  /** Called once. Must not throw. */
  expired(): void;
}

/**
 * Timeouts that cost no timer each. Those of one length expire in the order in which they were
 * added, which is the order of a set: adding and removing write an entry, and the timer looks at
 * the first of each set.
 */
export class Timeouts {
  readonly #byDelay = new Map<number, Set<Expiring>>();
  readonly #timer = new Wakeup((now) => this.#look(now));

  /** Starts a timeout of so many milliseconds. */
  add(entry: Expiring, delay: number): void {
    let entries = this.#byDelay.get(delay);
    if (entries === undefined) this.#byDelay.set(delay, entries = new Set());
    entries.add(entry);
    entry.due = performance.now() + delay;
    if (entry.due < this.#timer.due) this.#timer.at(entry.due);
  }

  /** Ends a timeout early. */
  remove(entry: Expiring, delay: number): void {
    const entries = this.#byDelay.get(delay);
    if (entries?.delete(entry) && entries.size === 0) this.#byDelay.delete(delay);
  }

  /** Ends all of them and lets go of the timer. */
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
