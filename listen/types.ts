/** The types of what `listen()` takes and reports. */

import type { Connection } from "../connection.ts";

/** What a server does with one connection, in a task of its own. */
export type Handler<T = Uint8Array> = (connection: Connection<T>) => void | Promise<void>;

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

/** What a server has done so far. */
export interface ServerStats {
  /** Connections accepted, without those refused. */
  readonly accepted: number;
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

/** Why a peer was turned away that did not give the token. */
export interface TokenRefusal {
  /** `token` if the first message was not the token, `timeout` if no message came in time. */
  readonly code: "token" | "timeout";
  /** The same in words. */
  readonly reason: string;
}

/** A connection that was turned away. */
export interface Refusal {
  /** The address of the peer. Empty if it has none. */
  readonly hostname: string;
  /** The endpoint that it connected to. */
  readonly endpoint: string;
  /** The limit that it exceeds, `denied` if its address is not allowed, or the step that failed. */
  readonly reason:
    | "maxConnections"
    | "maxConnectionsPerAddress"
    | "maxConnectionRate"
    | "denied"
    | "handshake"
    | "token"
    | "session";
  /** The error of the handshake, or the refusal of the session. */
  readonly error?: unknown;
}
