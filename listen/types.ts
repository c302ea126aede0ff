/** What `listen()` takes and tells. */

import type { Connection } from "../connection.ts";

/** What a server does with one connection, in a task of its own. */
export type Handler<T = Uint8Array> = (connection: Connection<T>) => void | Promise<void>;

/** Whom a broadcast leaves out. */
export interface BroadcastOptions<T> {
  /** Connections that do not get the message. */
  except?: Connection<T> | Iterable<Connection<T>>;
}

/** How to close a server. */
export interface ServerCloseOptions {
  /**
   * Time for the connections to close in order and for handlers to return, in milliseconds; what is
   * left then is aborted.
   *
   * @default 5_000
   */
  grace?: number;
}

/** What a server has done so far. */
export interface ServerStats {
  /** Connections accepted, without those refused. */
  readonly accepted: number;
  /** Connections turned away, for whatever reason. */
  readonly refused: number;
  /** Connections turned away, by reason. */
  readonly refusals: Readonly<Record<Refusal["reason"], number>>;
  /** Datagrams that were dropped because they belong to no connection. */
  readonly dropped: number;
  /** Times that accepting failed, for want of file descriptors for example. */
  readonly acceptErrors: number;
  /** Handlers that ended in an error. */
  readonly handlerErrors: number;
}

/** Why a peer was turned away for want of the token. */
export interface TokenRefusal {
  /** `token` if the first message was another one, `timeout` if none came in time. */
  readonly code: "token" | "timeout";
  /** The same in words. */
  readonly reason: string;
}

/** A connection that was turned away. */
export interface Refusal {
  /** The address of the peer; empty where it has none. */
  readonly hostname: string;
  /** The endpoint that it came to. */
  readonly endpoint: string;
  /** The limit that it exceeds; `denied` by its address; or what it failed at. */
  readonly reason:
    | "maxConnections"
    | "maxConnectionsPerAddress"
    | "maxConnectionRate"
    | "denied"
    | "handshake"
    | "token"
    | "session";
  /** What went wrong in the handshake, or with the session that was asked for. */
  readonly error?: unknown;
}
