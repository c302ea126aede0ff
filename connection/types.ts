/** The types of a connection's options and results. */

import type { Framing, FramingText } from "../codec.ts";
import type { Format } from "../format.ts";
import type { ConnectionLimits } from "./limits.ts";

/** How a connection ended. */
export interface CloseInfo {
  /** Whether both ends closed in order, and everything that was sent has left this end. */
  readonly clean: boolean;
  /** The code given to `close()`; otherwise the peer's code, if the framing can carry one. */
  readonly code?: number;
  /** The reason given to `close()`; otherwise the peer's reason, if the framing can carry one. */
  readonly reason?: string;
  /** What went wrong, or the reason given to `abort()`. */
  readonly error?: unknown;
  /** How many bytes of sent frames did not leave this end. */
  readonly undeliveredBytes: number;
  /** How many bytes arrived and were dropped unread, because this end closed. */
  readonly unreadBytes: number;
}

/** Options of a connection. */
export interface ConnectionOptions<T = Uint8Array> extends ConnectionLimits {
  /**
   * The framing: a name, a text with parameters such as `length(bytes:4,offset:1)`, or a framing
   * that `lengthPrefix()` or another function has made. If the limit of the framing itself is below
   * `maxMessageBytes`, the lower limit holds.
   *
   * @default "u32be"
   */
  framing?: FramingText | Framing;
  /**
   * What messages mean: `bytes()`, `text()` or `json()`.
   *
   * @default `bytes()`
   */
  format?: Format<T>;
  /** Aborts the connection when it is aborted, with the same reason. */
  signal?: AbortSignal;
}

/**
 * A code and a reason for closing. WebSocket connections and sessions tell them to the peer. Other
 * connections do not send them; they appear only in this end's {@linkcode CloseInfo}.
 */
export interface CloseOptions {
  /** A number for programs. */
  code?: number;
  /** A text for people. */
  reason?: string;
}
