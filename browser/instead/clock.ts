/** The times of a page: it has few, so that each has a timer of its own. */

import type { Sleeper } from "../../internal/clock.ts";
import { MAX_DELAY } from "../../internal/check.ts";

/** Calls sleepers at their times. */
class Clock {
  readonly #timers = new Map<Sleeper, ReturnType<typeof setTimeout>>();

  /** Adds a sleeper, and returns its time. */
  add(sleeper: Sleeper, time: number): number {
    const ring = () => {
      this.#timers.delete(sleeper);
      sleeper.ring(performance.now());
    };
    const delay = Math.max(0, Math.min(time - performance.now(), MAX_DELAY));
    this.#timers.set(sleeper, setTimeout(ring, delay));
    return time;
  }

  /** Removes a sleeper. */
  delete(sleeper: Sleeper): void {
    clearTimeout(this.#timers.get(sleeper));
    this.#timers.delete(sleeper);
  }
}

/** The clock of all wakeups. */
export const CLOCK: Clock = new Clock();
