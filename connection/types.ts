/** The plain types around a connection. */

import type { Framing, FramingName } from "../codec.ts";
import type { Format } from "../format.ts";
import type { ConnectionLimits } from "./limits.ts";

/** How a connection ended. */
export interface CloseInfo {
  /** Both ends closed in order, and everything that was sent left this end. */
  readonly clean: boolean;
  /** The code given to `close()`; else the one that the peer closed with, where it can say one. */
  readonly code?: number;
  /** The reason given to `close()`; else the peer's, where it can say one. */
  readonly reason?: string;
  /** What went wrong, or what `abort()` was given. */
  readonly error?: unknown;
  /** Bytes of frames that were sent and did not leave this end. */
  readonly undeliveredBytes: number;
  /** Bytes that arrived and that nobody can read any more, because this end closed. */
  readonly unreadBytes: number;
}

/** What a connection has done so far. */
export interface ConnectionStats {
  /** Messages received. */
  readonly messagesReceived: number;
  /** Messages written to their last byte; many are counted together when their block is written. */
  readonly messagesSent: number;
  /** Messages that `send()` refused or the slow-consumer policy dropped. */
  readonly messagesDropped: number;
  /** Messages that arrived and were dropped for want of room: datagrams, nothing else. */
  readonly messagesMissed: number;
  /** Bytes received, headers included. */
  readonly bytesReceived: number;
  /** Bytes written, headers included. */
  readonly bytesSent: number;
  /** Bytes sent that wait to be written. */
  readonly bufferedBytes: number;
  /** Bytes of messages received that wait to be read. */
  readonly unreadBytes: number;
  /** Messages received that wait to be read. */
  readonly unreadMessages: number;
  /** When the connection was made, in milliseconds since 1970. */
  readonly openedAt: number;
  /** When something last arrived, in milliseconds since 1970. */
  readonly lastSeenAt: number;
}

/** Options of a connection. */
export interface ConnectionOptions<T = Uint8Array> extends ConnectionLimits {
  /**
   * The framing, by name or made by `lengthPrefix()` and its like. A framing's own limit holds where
   * it is below `maxMessageBytes`.
   *
   * @default "u32be"
   */
  framing?: FramingName | Framing;
  /**
   * What messages mean: `bytes()`, `text()`, `json()`.
   *
   * @default `bytes()`
   */
  format?: Format<T>;
  /** Aborts the connection, with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * What to say when closing. WebSocket connections tell the peer; other plain ones keep it at this
 * end, in {@linkcode CloseInfo}.
 */
export interface CloseOptions {
  /** A number for programs. */
  code?: number;
  /** A text for people. */
  reason?: string;
}
