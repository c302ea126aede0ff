/** The limit on how much one member may write. */

import { Rate } from "../../internal/rate.ts";

/** How much a member may write, and how fast. */
export interface FloodLimits {
  /**
   * How many messages a member may send at once.
   *
   * @default 5
   */
  burst?: number;
  /**
   * How many messages per second it may send after that.
   *
   * @default 2
   */
  perSecond?: number;
}

/** How much a line counts, in quarters of a message. */
export const COST = { message: 4, change: 2, question: 1, free: 0 } as const;

/** What to do with a line. */
export type Verdict = "pass" | "warn" | "drop" | "disconnect";

/** A member is disconnected after this many dropped lines, unless it pauses. */
const MAX_DROPPED = 10;

/** After a pause of this length the dropped lines are forgotten, in milliseconds. */
const PAUSE = 10_000;

/** Counts what one member writes. One token is a quarter of a message. */
export class Flood {
  readonly #rate: Rate;
  #now: number;
  #dropped = 0;
  #droppedAt = -Infinity;

  constructor({ burst, perSecond }: Required<FloodLimits>, now: number) {
    this.#now = now;
    const options = { burst: burst * COST.message, perSecond: perSecond * COST.message };
    this.#rate = new Rate(options, () => this.#now);
  }

  /** Counts a line with its cost, and says what to do with it. */
  take(cost: number, now: number): Verdict {
    this.#now = now;
    if (this.#rate.take(cost)) return "pass";
    if (now - this.#droppedAt > PAUSE) this.#dropped = 0;
    this.#droppedAt = now;
    this.#dropped++;
    if (this.#dropped === 1) return "warn";
    return this.#dropped <= MAX_DROPPED ? "drop" : "disconnect";
  }
}
