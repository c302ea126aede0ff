/** Policies that decide when to try again. */

import { delay } from "@std/async/delay";
import { checkDelay, checkInteger } from "./check.ts";
import { onAwake } from "./runtime/awake.ts";

/** A failure that a {@linkcode RetryPolicy} decides about. */
export interface Failure {
  /** How many attempts have failed in a row: 1 for the first failure. */
  readonly attempt: number;
  /** The error; undefined when the peer closed in order. */
  readonly error: unknown;
}

/** Returns how long to wait before the next attempt, in milliseconds; undefined means to give up. */
export type RetryPolicy = (failure: Failure) => number | undefined;

/** Options of {@linkcode backoff}. */
export interface BackoffOptions {
  /**
   * The longest wait after the first failure, in milliseconds. It doubles with each further failure.
   *
   * @default 500
   */
  minDelay?: number;
  /**
   * The upper bound of all waits, in milliseconds.
   *
   * @default 30_000
   */
  maxDelay?: number;
  /**
   * Gives up after this many failures in a row.
   *
   * @default Infinity
   */
  maxAttempts?: number;
  /**
   * Returns a number from 0 up to, but not including, 1.
   *
   * @default `Math.random`
   */
  random?: () => number;
}

/**
 * Exponential backoff with full jitter. Each wait is random, between 0 and a bound that doubles with
 * every failure. So the many clients of a server that failed do not come back all at once. (Marc
 * Brooker, "Exponential Backoff And Jitter", 2015.)
 *
 * @throws {RangeError} if a delay or `maxAttempts` is out of range.
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

/** An attempt whose result lasts this long, in milliseconds, was a success: counting starts anew. */
const STABLE_AFTER = 5_000;

/**
 * Repeated attempts at one thing. Counts the failures in a row, and asks the policy after each failure
 * how long to wait. `now` is the clock, in milliseconds.
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

  /** How many attempts have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** An attempt has made something. It counts as a success only if its result lasts for a while. */
  made(): void {
    this.#madeAt = this.#now();
  }

  /** An attempt was certainly a success: counting starts anew. */
  startAnew(): void {
    this.#failures = 0;
  }

  /**
   * An attempt has failed, or its result has ended. Returns how long to wait before the next
   * attempt, in milliseconds; undefined means to give up.
   *
   * @throws what the policy throws.
   */
  failed(error: unknown): number | undefined {
    if (this.#now() - this.#madeAt >= STABLE_AFTER) this.startAnew();
    this.#madeAt = Infinity;
    return this.#retry({ attempt: ++this.#failures, error });
  }
}

/** Waits. Resolves earlier if the signal is aborted, or if a page is awake again: then it may work now. */
export async function pause(wait: number, signal: AbortSignal | undefined): Promise<void> {
  const awake = new AbortController();
  const stop = onAwake(() => awake.abort());
  try {
    const signals = signal === undefined ? [awake.signal] : [signal, awake.signal];
    await delay(wait, { signal: AbortSignal.any(signals) });
  } catch {
    // Only the signals make delay() reject, and the caller checks its own.
  } finally {
    stop();
  }
}
