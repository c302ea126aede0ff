/** When to try again. */

import { delay } from "@std/async/delay";
import { checkDelay, checkInteger } from "./check.ts";

/** What went wrong, and how often in a row. */
export interface Failure {
  /** The number of failures in a row, from 1. */
  readonly attempt: number;
  /** The error; undefined when the peer closed in order. */
  readonly error: unknown;
}

/** How long to wait before the next attempt, in milliseconds; undefined to give up. */
export type RetryPolicy = (failure: Failure) => number | undefined;

/** Options of {@linkcode backoff}. */
export interface BackoffOptions {
  /**
   * The longest wait after the first failure, in milliseconds; it doubles with each further one.
   *
   * @default 500
   */
  minDelay?: number;
  /**
   * The longest wait ever, in milliseconds.
   *
   * @default 30_000
   */
  maxDelay?: number;
  /**
   * Failures in a row after which to give up.
   *
   * @default Infinity
   */
  maxAttempts?: number;
  /**
   * Gives a number from 0 to 1 exclusive.
   *
   * @default `Math.random`
   */
  random?: () => number;
}

/**
 * Exponential backoff with full jitter: a random wait between nothing and a bound that doubles, so
 * that many clients that lost one server do not come back at the same moment. (Marc Brooker,
 * "Exponential Backoff And Jitter", 2015.)
 *
 * @throws {RangeError} for a delay out of range.
 *
 * @example The bounds of the waits
 * ```ts
 * import { backoff } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * const retry = backoff({ minDelay: 100, maxDelay: 350, maxAttempts: 4, random: () => 0.999 });
 * const waits = [1, 2, 3, 4].map((attempt) => retry({ attempt, error: undefined }));
 * assertEquals(waits, [99, 199, 349, undefined]);
 * ```
 */
export function backoff(options: BackoffOptions = {}): RetryPolicy {
  const { minDelay = 500, maxDelay = 30_000, maxAttempts = Infinity, random = Math.random } =
    options;
  checkDelay("minDelay", minDelay, 0);
  checkDelay("maxDelay", maxDelay, minDelay);
  if (maxAttempts !== Infinity) {
    checkInteger("maxAttempts", maxAttempts, 1, Number.MAX_SAFE_INTEGER);
  }
  return ({ attempt }) => {
    if (attempt >= maxAttempts) return undefined;
    return Math.floor(random() * Math.min(maxDelay, minDelay * 2 ** (attempt - 1)));
  };
}

/** What was made and held this long, in milliseconds, was a success: the waiting starts anew. */
const STABLE_AFTER = 5_000;

/**
 * Attempts at one thing, again and again: counts the failures in a row, and asks the policy how long to
 * wait after each. `now` is the clock, in milliseconds.
 */
export class Attempts {
  readonly #retry: RetryPolicy;
  readonly #now: () => number;
  #failures = 0;
  #madeAt = Infinity;

  constructor(retry: RetryPolicy, now: () => number = () => performance.now()) {
    this.#retry = retry;
    this.#now = now;
  }

  /** The failures in a row until now. */
  get failures(): number {
    return this.#failures;
  }

  /** An attempt made something; only if that holds for a while was it a success. */
  made(): void {
    this.#madeAt = this.#now();
  }

  /** There was a success for certain: the next failure is the first. */
  startAnew(): void {
    this.#failures = 0;
  }

  /**
   * An attempt failed, or what it made has ended. Gives how long to wait before the next one, in
   * milliseconds; undefined to give up.
   *
   * @throws what the policy throws.
   */
  failed(error: unknown): number | undefined {
    if (this.#now() - this.#madeAt >= STABLE_AFTER) this.startAnew();
    this.#madeAt = Infinity;
    return this.#retry({ attempt: ++this.#failures, error });
  }
}

/** Waits, but no longer than until the signal is aborted. */
export async function pause(wait: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(wait, { signal });
  } catch {
    // The only reason is the signal, and whoever gave it looks at it.
  }
}
