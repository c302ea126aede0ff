/** How much one member may say. */

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

/** Watches one member: a bucket of tokens, with one for each quarter of a message. */
export class Flood {
  readonly #size: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAt: number;
  #dropped = 0;
  #droppedAt = -Infinity;

  constructor({ burst, perSecond }: Required<FloodLimits>, now: number) {
    this.#size = burst * COST.message;
    this.#perMs = perSecond * COST.message / 1000;
    this.#tokens = this.#size;
    this.#filledAt = now;
  }

  /** Takes a line at its cost. */
  take(cost: number, now: number): Verdict {
    // A clock that was set back must not take away what there is.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#size, this.#tokens + elapsed * this.#perMs);
    if (this.#tokens >= cost) {
      this.#tokens -= cost;
      return "pass";
    }
    if (now - this.#droppedAt > PAUSE) this.#dropped = 0;
    this.#droppedAt = now;
    this.#dropped++;
    if (this.#dropped === 1) return "warn";
    return this.#dropped <= MAX_DROPPED ? "drop" : "disconnect";
  }
}
