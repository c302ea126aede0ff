/**
 * How often something may happen: a token bucket.
 *
 * @module
 */

/** How much a {@linkcode Rate} lets through. */
export interface RateOptions {
  /** How much may happen at once, after a quiet time. At least 1. */
  readonly burst: number;
  /** How much may happen per second in the long run. Above 0. */
  readonly perSecond: number;
  /**
   * How far {@linkcode Rate.charge} may go beyond what is there.
   *
   * @default 0
   */
  readonly maxDebt?: number;
}

/**
 * Lets through what comes at a rate, with bursts: a bucket that holds `burst` tokens, starts full and
 * gets `perSecond` new ones each second. No timers; in any span of `t` seconds at most
 * `burst + t * perSecond` get through. Tells right also when the clock is set back.
 *
 * @example Three at once, then one in half a second
 * ```ts
 * import { Rate } from "./rate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let time = 0;
 * const rate = new Rate({ burst: 3, perSecond: 2 }, () => time);
 * assertEquals([rate.take(), rate.take(), rate.take(), rate.take()], [true, true, true, false]);
 * time += 500;
 * assertEquals([rate.take(), rate.take()], [true, false]);
 * ```
 */
export class Rate {
  readonly #options: RateOptions;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /**
   * Begins with a full bucket. `now` is the clock, in milliseconds, by default `performance.now()`.
   *
   * @throws {RangeError} for a burst below 1, a rate of 0, a negative debt, or one that is not finite.
   */
  constructor(options: RateOptions, now: () => number = () => performance.now()) {
    checkAmount("burst", options.burst, options.burst >= 1, "at least 1");
    checkAmount("perSecond", options.perSecond, options.perSecond > 0, "above 0");
    const { maxDebt = 0 } = options;
    checkAmount("maxDebt", maxDebt, maxDebt >= 0, "at least 0");
    this.#options = options;
    this.#now = now;
    this.#tokens = options.burst;
    this.#at = now();
  }

  /**
   * Takes tokens when there are enough, and tells whether there were; takes none otherwise. What costs
   * more than the burst never gets through.
   *
   * @throws {RangeError} for a cost below 0.
   */
  take(cost = 1): boolean {
    checkCost(cost);
    if (cost > this.#refilled()) return false;
    this.#tokens -= cost;
    return true;
  }

  /**
   * Takes tokens whether or not there are enough, for what has happened already: what is missing, up
   * to `maxDebt`, must come in before anything gets through again.
   *
   * @throws {RangeError} for a cost below 0.
   */
  charge(cost = 1): void {
    checkCost(cost);
    const { maxDebt = 0 } = this.#options;
    this.#tokens = Math.max(this.#refilled() - cost, -maxDebt);
  }

  /**
   * Time until `take()` would get through, in whole milliseconds: 0 when it would now, `Infinity`
   * when it never will.
   *
   * @throws {RangeError} for a cost below 0.
   */
  delay(cost = 1): number {
    checkCost(cost);
    const missing = cost - this.#refilled();
    if (missing <= 0) return 0;
    if (cost > this.#options.burst) return Infinity;
    // One more than exact, so that rounding never makes it too short.
    return Math.ceil(missing * 1000 / this.#options.perSecond) + 1;
  }

  #refilled(): number {
    const { burst, perSecond } = this.#options;
    const now = this.#now();
    const elapsed = Math.max(now - this.#at, 0);
    this.#at = now;
    return this.#tokens = Math.min(this.#tokens + elapsed * perSecond / 1000, burst);
  }
}

function checkAmount(name: string, value: number, inRange: boolean, range: string): void {
  if (!inRange || !Number.isFinite(value)) {
    throw new RangeError(`Cannot use ${name} ${value}: it must be a finite number, ${range}`);
  }
}

/** A negative cost would fill the bucket. */
function checkCost(cost: number): void {
  if (!(cost >= 0)) throw new RangeError(`Cannot take ${cost}: it must be a number, at least 0`);
}
