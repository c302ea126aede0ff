/** The limits of a connection: names, defaults, ranges. */

import { checkDelay, checkInteger } from "../internal/check.ts";

/** Limits of a connection, all on by default. Sizes are bytes, times are milliseconds. */
export interface ConnectionLimits {
  /**
   * The largest message to accept. Refused from its header alone.
   *
   * @default 16_777_216 when connecting, 1_048_576 when listening
   */
  maxMessageBytes?: number;
  /**
   * Time to finish a frame that has begun. Does not run while this end holds back.
   *
   * @default 30_000
   */
  frameTimeout?: number;
  /**
   * Received and not yet read; above it reading from the peer stops until the consumer catches up.
   * Each message counts for its bytes plus 64, so that many tiny ones are bounded too.
   *
   * @default 1_048_576
   */
  maxUnreadBytes?: number;
  /**
   * Bytes waiting to be written above which `send()` waits.
   *
   * @default 65_536
   */
  highWaterMark?: number;
  /**
   * Bytes waiting to be written that sends nobody waits for may reach; then `slowConsumer` decides.
   * A task that awaits each `send()` never gets there by itself; many such tasks together may.
   *
   * @default 8_388_608
   */
  maxPendingBytes?: number;
  /**
   * What happens at `maxPendingBytes`: the connection is aborted with a `SlowConsumerError`, the new
   * message is dropped, or the oldest waiting ones are. Drops are counted in `stats`.
   *
   * @default "disconnect"
   */
  slowConsumer?: "disconnect" | "drop-newest" | "drop-oldest";
  /**
   * Time for a write to make progress; then the connection is aborted.
   *
   * @default 10_000
   */
  writeTimeout?: number;
  /**
   * Time for `close()` to flush and to see the peer's end; then the connection is aborted.
   *
   * @default 5_000
   */
  closeTimeout?: number;
  /**
   * Time that this end may take between two messages after the peer has ended; then the connection
   * is closed in order.
   *
   * @default 30_000
   */
  halfOpenTimeout?: number;
}

/** All limits given. */
export type ResolvedLimits = Readonly<Required<ConnectionLimits>>;

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws {RangeError} naming the limit and its value.
 * @throws {TypeError} for an unknown `slowConsumer`, or `highWaterMark` above `maxPendingBytes`.
 */
export function resolveLimits(
  options: ConnectionLimits,
  defaultMaxMessageBytes: number,
): ResolvedLimits {
  const {
    maxMessageBytes = defaultMaxMessageBytes,
    frameTimeout = 30_000,
    maxUnreadBytes = 1024 * 1024,
    highWaterMark = 64 * 1024,
    maxPendingBytes = 8 * 1024 * 1024,
    slowConsumer = "disconnect",
    writeTimeout = 10_000,
    closeTimeout = 5_000,
    halfOpenTimeout = 30_000,
  } = options;
  checkInteger("maxMessageBytes", maxMessageBytes, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("maxUnreadBytes", maxUnreadBytes, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("highWaterMark", highWaterMark, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxPendingBytes", maxPendingBytes, 1, Number.MAX_SAFE_INTEGER);
  const delays = { frameTimeout, writeTimeout, closeTimeout, halfOpenTimeout };
  for (const [name, delay] of Object.entries(delays)) {
    checkDelay(name, delay);
  }
  if (!["disconnect", "drop-newest", "drop-oldest"].includes(slowConsumer)) {
    throw new TypeError(
      `Cannot use slowConsumer "${slowConsumer}": it must be "disconnect", "drop-newest" or "drop-oldest"`,
    );
  }
  if (highWaterMark > maxPendingBytes) {
    throw new TypeError(
      `Cannot use highWaterMark ${highWaterMark} together with maxPendingBytes ${maxPendingBytes}: ` +
        `the mark must not be above the limit`,
    );
  }
  return {
    maxMessageBytes,
    frameTimeout,
    maxUnreadBytes,
    highWaterMark,
    maxPendingBytes,
    slowConsumer,
    writeTimeout,
    closeTimeout,
    halfOpenTimeout,
  };
}
