/** Options of a session: names, defaults, ranges. */

import { checkDelay, checkInteger } from "../internal/check.ts";
import { withDefaults } from "../internal/defaults.ts";
import { backoff, type RetryPolicy } from "../internal/retry.ts";

/** Options of a session. Sizes are bytes, times are milliseconds. */
export interface SessionOptions {
  /**
   * How long a session without a carrier is kept. The smaller value of both ends counts.
   *
   * @default 120_000
   */
  retentionTime?: number;
  /**
   * How many bytes are kept until the peer acknowledges them. Above it, `send()` waits. Some
   * messages are not among those of a `SessionLostError`: a message that is larger than this, and a
   * message whose start is acknowledged and no longer fits beside the bytes after it.
   *
   * @default 8_388_608
   */
  maxUnacknowledgedBytes?: number;
  /**
   * How many bytes the peer may send beyond those that were read here.
   *
   * @default 1_048_576
   */
  window?: number;
  /**
   * Silence after which the peer is asked whether it is there.
   *
   * @default 25_000
   */
  heartbeatInterval?: number;
  /**
   * Further silence after which the carrier is given up.
   *
   * @default 20_000
   */
  heartbeatTimeout?: number;
  /**
   * Time for a new carrier's first frame, HELLO or the answer to it.
   *
   * @default 10_000
   */
  helloTimeout?: number;
  /**
   * How long a client waits before the next attempt to reconnect, and when it gives up. The client
   * always gives up when the retention time is over.
   *
   * @default `backoff()`
   */
  retry?: RetryPolicy;
}

/** All options given. */
export type ResolvedSessionOptions = Readonly<Required<SessionOptions>>;

const MAX_BYTES = 2 ** 40;

const SIZES = { maxUnacknowledgedBytes: 8 * 1024 * 1024, window: 1024 * 1024 };

const TIMES = {
  retentionTime: 120_000,
  heartbeatInterval: 25_000,
  heartbeatTimeout: 20_000,
  helloTimeout: 10_000,
};

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws {RangeError} naming the option and its value.
 */
export function resolveSessionOptions(options: SessionOptions = {}): ResolvedSessionOptions {
  const sizes = withDefaults(SIZES, options, (name, value) => {
    checkInteger(name, value, 1, MAX_BYTES);
  });
  const times = withDefaults(TIMES, options, (name, value) => checkDelay(name, value));
  return { ...sizes, ...times, retry: options.retry ?? backoff() };
}
