/**
 * Limits how often something may happen, by a token bucket.
 *
 * @module
 */

/** Options of {@linkcode Rate}. */
export interface RateOptions {
  /** How many tokens may be taken at once after a quiet time. At least 1. */
  readonly burst: number;
  /** How many tokens are added per second. Above 0. */
  readonly perSecond: number;
  /**
   * How far below zero {@linkcode Rate.charge} may bring the number of tokens.
   *
   * @default 0
   */
  readonly maxDebt?: number;
}

/**
 * A token bucket. It holds up to `burst` tokens, starts full, and gets `perSecond` new tokens each
 * second. So in any span of `t` seconds at most `burst + t * perSecond` tokens can be taken. It needs
 * no timer. It stays correct when the clock is set back.
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
   * Starts with a full bucket. `now` is the clock, in milliseconds; by default `performance.now()`.
   *
   * @throws {RangeError} if an option is out of its range, or not finite.
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
   * Takes `cost` tokens and returns true, if there are enough; otherwise takes none and returns false.
   * A cost above `burst` never succeeds.
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
   * Takes `cost` tokens even if there are not enough, for something that has already happened. The
   * missing tokens, up to `maxDebt`, become a debt. `take()` fails until the debt is paid back.
   *
   * @throws {RangeError} for a cost below 0.
   */
  charge(cost = 1): void {
    checkCost(cost);
    const { maxDebt = 0 } = this.#options;
    this.#tokens = Math.max(this.#refilled() - cost, -maxDebt);
  }

  /**
   * Time until `take(cost)` would succeed, in whole milliseconds: 0 if it would succeed now, `Infinity`
   * if it never will.
   *
   * @throws {RangeError} for a cost below 0.
   */
  delay(cost = 1): number {
    checkCost(cost);
    const missing = cost - this.#refilled();
    if (missing <= 0) return 0;
    if (cost > this.#options.burst) return Infinity;
    // One millisecond more, so that rounding never makes the time too short.
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
