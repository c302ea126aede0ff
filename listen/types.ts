/** The types of what `listen()` takes and reports. */

import type { Connection } from "../connection.ts";

/** What a server does with one connection, in a task of its own. */
export type Handler<T = Uint8Array, U = unknown> = (
  connection: Connection<T, U>,
) => void | Promise<void>;

/** Which connections do not get a broadcast. */
export interface BroadcastOptions<T> {
  /** Connections that do not get the message. */
  except?: Connection<T> | Iterable<Connection<T>>;
}

/** How to close a server. */
export interface ServerCloseOptions {
  /**
   * Time for the connections to close in order and for the handlers to return, in milliseconds.
   * What is left after that is aborted.
   *
   * @default 5_000
   */
  grace?: number;
}

/**
 * Why a connection has ended.
 *
 * - `clean`: in order, and all that was sent has left.
 * - `undelivered`: in order, but something that was sent was dropped.
 * - `lost`: the network reported that it is lost.
 * - `silent`: the peer did not read, answer or close in time.
 * - `sessionLost`: the client of a session did not come back in time, or one end gave it up.
 * - `slowConsumer`: the peer read too slowly.
 * - `tooLarge`, `truncated`, `frameTimeout`, `protocol`: the peer broke the rules of the framing, the
 *   format or a protocol. The first three are the most usual ways.
 * - `aborted`: this end aborted it, most likely because it closed and the grace time was over.
 * - `other`: an error of the program, such as one that a handler has thrown.
 */
export type EndReason =
  | "clean"
  | "undelivered"
  | "lost"
  | "silent"
  | "sessionLost"
  | "slowConsumer"
  | "tooLarge"
  | "truncated"
  | "frameTimeout"
  | "protocol"
  | "aborted"
  | "other";

/**
 * Why a message was dropped.
 *
 * - `slowConsumer`: by the slow-consumer policy, which may be to drop.
 * - `refused`: `send()` or `offer()` refused it, as after the end or if the framing cannot express it.
 * - `missed`: a datagram arrived, and too many waited already.
 * - `stray`: a datagram belongs to no connection.
 */
export type DropCause = "slowConsumer" | "refused" | "missed" | "stray";

/** How often something took how long. */
export interface Times {
  /** The upper bounds of the buckets, rising, in milliseconds. */
  readonly bounds: readonly number[];
  /** How many times are in each bucket alone; there is one more bucket, without a bound. */
  readonly counts: readonly number[];
  /** The sum of all times, in milliseconds. */
  readonly sum: number;
}

/**
 * What a server has done so far. Sums are of all connections, of those that have ended too. To take
 * them takes longer the more connections are open: a millisecond for a few thousand.
 */
export interface ServerStats {
  /** Connections that are open now. */
  readonly open: number;
  /** Connections accepted, without those refused. */
  readonly accepted: number;
  /** Connections that have ended, by reason. */
  readonly ended: Readonly<Record<EndReason, number>>;
  /** How long the connections that have ended were open. */
  readonly lifetimes: Times;
  /** Messages that were received. */
  readonly messagesReceived: number;
  /** Messages that were written. */
  readonly messagesSent: number;
  /** Bytes that were received, with headers, without those of TLS and sessions. */
  readonly bytesReceived: number;
  /** Bytes that were written, with headers, without those of TLS and sessions. */
  readonly bytesSent: number;
  /** Messages that were dropped, by cause. */
  readonly drops: Readonly<Record<DropCause, number>>;
  /** Bytes that were sent and had not left when their connection ended. */
  readonly undeliveredBytes: number;
  /** Bytes that had arrived and were dropped unread, because this end closed. */
  readonly discardedBytes: number;
  /** Bytes that wait now to be written. */
  readonly bufferedBytes: number;
  /** Bytes of messages that wait now to be read. */
  readonly unreadBytes: number;
  /** Messages that wait now to be read. */
  readonly unreadMessages: number;
  /** How often sessions went on over another carrier. */
  readonly resumes: number;
  /** Times from a question to its answer: of sessions' heartbeats, and of WebSockets' pings. */
  readonly roundTripTimes: Times;
  /** Connections turned away, for any reason. */
  readonly refused: number;
  /** Connections turned away, by reason. */
  readonly refusals: Readonly<Record<Refusal["reason"], number>>;
  /** Datagrams that were dropped because they belong to no connection. */
  readonly dropped: number;
  /** How often accepting failed, for example because there were no file descriptors left. */
  readonly acceptErrors: number;
  /** Handlers that ended in an error. */
  readonly handlerErrors: number;
}

/** Why a peer was turned away that did not give the token, or that `authorize` has refused. */
export interface TokenRefusal {
  /**
   * `token` if the first message was not the token, `timeout` if no message or no answer of
   * `authorize` came in time, `internal` if `authorize` failed, or the code of its `RefusedError`.
   */
  readonly code: "token" | "timeout" | "internal" | (string & Record<never, never>);
  /** The same in words. */
  readonly reason: string;
}

/** A connection that was turned away. */
export interface Refusal {
  /** The address of the peer. Empty if it has none. */
  readonly hostname: string;
  /** The endpoint that it connected to. */
  readonly endpoint: string;
  /**
   * The limit that it exceeds, `denied` if its address is not allowed, `proxy` if it should be a proxy
   * and is none that was named, or sent no right header, or the step that failed.
   */
  readonly reason:
    | "maxConnections"
    | "maxConnectionsPerAddress"
    | "maxConnectionRate"
    | "denied"
    | "proxy"
    | "handshake"
    | "token"
    | "authorize"
    | "session";
  /** The error of the proxy's header or the handshake, or the refusal of `authorize` or the session. */
  readonly error?: unknown;
}
