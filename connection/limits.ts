/** The limits of a connection: their names, defaults and ranges. */

import { checkDelay, checkInteger } from "../internal/check.ts";
import { withDefaults } from "../internal/defaults.ts";

/** Limits of a connection. All are on by default. Sizes are in bytes, times in milliseconds. */
export interface ConnectionLimits {
  /**
   * The largest message to accept. A larger message is refused as soon as its header has arrived.
   *
   * @default 16_777_216 when connecting, 1_048_576 when listening
   */
  maxMessageBytes?: number;
  /**
   * The time in which the peer must finish a frame that it has begun. The time does not run while this
   * end has stopped reading.
   *
   * @default 30_000
   */
  frameTimeout?: number;
  /**
   * How many bytes may have been received and not yet been read. Above this limit, the connection
   * stops reading from the peer until half of them are read. Each message counts for its bytes plus
   * 64, so that many tiny messages are limited, too.
   *
   * @default 1_048_576
   */
  maxUnreadBytes?: number;
  /**
   * When at least this many bytes wait to be written, `send()` waits.
   *
   * @default 65_536
   */
  highWaterMark?: number;
  /**
   * How many bytes may wait to be written. At this limit, `slowConsumer` decides what happens. One task
   * that awaits each `send()` does not reach the limit; many such tasks together may reach it.
   *
   * @default 8_388_608
   */
  maxPendingBytes?: number;
  /**
   * What happens at `maxPendingBytes`. `disconnect` aborts the connection with a `SlowConsumerError`,
   * `drop-newest` drops the new message, `drop-oldest` drops the messages that have waited longest.
   * `stats` counts the dropped messages. `requests()` takes connections with `disconnect` only.
   *
   * @default "disconnect"
   */
  slowConsumer?: "disconnect" | "drop-newest" | "drop-oldest";
  /**
   * The time in which a write must make progress. After that the connection is aborted.
   *
   * @default 10_000
   */
  writeTimeout?: number;
  /**
   * The time in which `close()` must flush and see the peer's end. After that the connection is
   * aborted.
   *
   * @default 5_000
   */
  closeTimeout?: number;
  /**
   * After the peer has ended: the time in which this end must send its next message. After that the
   * connection is closed in order.
   *
   * @default 30_000
   */
  halfOpenTimeout?: number;
  /**
   * Time of silence after which the peer is asked whether it is there, over WebSocket. Sessions have
   * heartbeats of their own, and other transports nothing to ask with.
   *
   * @default 30_000
   */
  pingInterval?: number;
  /**
   * Time that the peer may stay silent after it was asked; then the connection is lost. Does not run
   * while this end holds back.
   *
   * @default 20_000
   */
  pongTimeout?: number;
}

/** The limits with all defaults filled in. */
export type ResolvedLimits = Readonly<Required<ConnectionLimits>>;

const SIZES = {
  maxMessageBytes: 0,
  maxUnreadBytes: 1024 * 1024,
  highWaterMark: 64 * 1024,
  maxPendingBytes: 8 * 1024 * 1024,
};

const TIMES = {
  frameTimeout: 30_000,
  writeTimeout: 10_000,
  closeTimeout: 5_000,
  halfOpenTimeout: 30_000,
  pingInterval: 30_000,
  pongTimeout: 20_000,
};

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws {RangeError} which names the limit and its value, if it is out of range.
 * @throws {TypeError} if `slowConsumer` is unknown, or `highWaterMark` is above `maxPendingBytes`.
 */
export function resolveLimits(
  options: ConnectionLimits,
  defaultMaxMessageBytes: number,
): ResolvedLimits {
  const { slowConsumer = "disconnect" } = options;
  const defaults = { ...SIZES, maxMessageBytes: defaultMaxMessageBytes };
  const sizes = withDefaults(defaults, options, checkSize);
  const times = withDefaults(TIMES, options, (name, value) => checkDelay(name, value));
  if (!["disconnect", "drop-newest", "drop-oldest"].includes(slowConsumer)) {
    throw new TypeError(
      `Cannot use slowConsumer "${slowConsumer}": it must be "disconnect", "drop-newest" or "drop-oldest"`,
    );
  }
  const { highWaterMark, maxPendingBytes } = sizes;
  if (highWaterMark > maxPendingBytes) {
    throw new TypeError(
      `Cannot use highWaterMark ${highWaterMark} together with maxPendingBytes ${maxPendingBytes}: ` +
        `the mark must not be above the limit`,
    );
  }
  return { ...sizes, ...times, slowConsumer };
}

function checkSize(name: string, value: number): void {
  checkInteger(name, value, name === "maxMessageBytes" ? 0 : 1, Number.MAX_SAFE_INTEGER);
}
