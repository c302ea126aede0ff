/** How much one member may say. */

import { Rate } from "../../internal/rate.ts";

/** How much a member may say, and how fast. */
export interface FloodLimits {
  /**
   * Messages at once.
   *
   * @default 5
   */
  burst?: number;
  /**
   * Messages per second after that.
   *
   * @default 2
   */
  perSecond?: number;
}

/** What a line costs, in quarters of a message. */
export const COST = { message: 4, change: 2, question: 1, free: 0 } as const;

/** What is to be done with a line. */
export type Verdict = "pass" | "warn" | "drop" | "disconnect";

/** Lines that are dropped before the member is disconnected, unless it pauses. */
const MAX_DROPPED = 10;

/** The pause that makes up for lines that were dropped, in milliseconds. */
const PAUSE = 10_000;

/** Watches one member: what it says costs tokens, one for each quarter of a message. */
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

  /** Takes a line at its cost. */
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
