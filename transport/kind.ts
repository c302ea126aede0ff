/** What a kind of transport is: it listens on its endpoints and connects to them. */

import type { RefusedError } from "../errors.ts";
import type { Transport } from "../transport.ts";
import type { Endpoint } from "./endpoint.ts";
import type {
  TlsConnectOptions,
  TlsListenOptions,
  UdpListenOptions,
  WebConnectOptions,
  WebOptions,
} from "./options.ts";

/** An open endpoint that peers connect to. */
export interface TransportListener {
  /** Where it listens, with the real port. */
  readonly endpoint: Endpoint;
  /** How many messages were dropped because they belong to no connection. Only over UDP. */
  readonly dropped?: number;
  /** The next peer. Rejects if accepting fails this time, and after `close()`. */
  accept(): Promise<AcceptedPeer>;
  /**
   * Uses other certificates for the next peers. Only kinds with certificates have this method.
   *
   * @throws {TypeError} if the certificates cannot be used; then the old ones stay in use.
   */
  replaceCertificates?(tls: TlsListenOptions): void;
  /** Stops listening. Never throws; a second call does nothing. */
  close(): void;
}

/** Options for a handshake. */
export interface OpenOptions {
  /** Aborted when the time for the handshake is over, or the server closes. */
  readonly signal: AbortSignal;
  /**
   * Called when the peer wants no connection, but the answer to a request. The signal is not aborted any
   * more because the server closes: the answer still leaves.
   */
  answering?(): void;
  /**
   * Asked before a request is answered, where a handshake has one. Resolves to why the peer is refused,
   * which it is told then, and `open()` rejects with; undefined if it is not.
   */
  readonly judge?: (
    request: WebRequest,
    below: Pick<Transport, "remote" | "abilities">,
  ) => Promise<RefusedError | undefined>;
  /** Called when the head of an answer has left: the time does not run until a further request. */
  pause?(): void;
  /** Called when a further request of such a peer awaits its answer: the time runs anew. */
  resume?(): void;
}

/** A peer that was accepted and is not a connection yet. */
export interface AcceptedPeer {
  /** The peer's address, by which connections are counted; empty for a peer on this machine. */
  readonly hostname: string;
  /**
   * Finds out whose connection it is, before `open()`. Only peers that a proxy may stand before have
   * this method; until it resolves, `hostname` is the proxy's, and then the client's. Gives up when the
   * signal is aborted. Resolves to false for a peer that left before it sent a byte. Rejects if the
   * peer is no proxy that may say so, or says it wrong.
   */
  identify?(options: { readonly signal: AbortSignal }): Promise<boolean>;
  /**
   * Makes the peer ready for messages, by a handshake if the transport has one. Gives up when the
   * signal is aborted. Resolves to undefined for a peer that left before it sent a byte, or whose
   * request was answered without a WebSocket. Rejects with the reason if the handshake fails.
   */
  open(options: OpenOptions): Transport | Promise<Transport | undefined>;
  /** Set if another server of the cluster has let it in, with what that one knows of it. */
  readonly vouched?: { readonly user: unknown };
  /** Closes it without a handshake. A peer that can be told is told which limit keeps it out. */
  refuse(limit?: string): void;
}

/** What a peer asks for that wants to speak WebSocket. */
export interface WebRequest {
  /** The URL with its query. */
  readonly url: URL;
  /** The fields of its head. */
  readonly headers: Headers;
  /** The subprotocols that it offers, in its order. */
  readonly subprotocols: readonly string[];
}

/** What a kind of transport can do. */
export interface TransportKind<E extends Endpoint = Endpoint> {
  /** Opens an endpoint for peers. Rejects with the system's error. */
  listen(endpoint: E, options: TransportListenOptions): Promise<TransportListener>;
  /** Connects to an endpoint. Rejects with the system's error or the signal's reason. */
  connect(endpoint: E, options: TransportConnectOptions): Promise<Transport>;
}

/** Options for listening. Each kind of transport uses some of them. */
export interface TransportListenOptions {
  /** How many connections the system holds until they are accepted. */
  readonly backlog: number;
  /** Whether other servers may have the same port, for `tcp:`, `tls:`, `ws:` and `wss:`. */
  readonly reusePort?: boolean;
  /** Certificates, for `tls:` and `wss:`. */
  readonly tls?: TlsListenOptions;
  /** What to do with web pages, for `ws:` and `wss:`. */
  readonly web?: WebOptions;
  /** Whether a WebSocket whose client offers the subprotocol of sessions becomes one. */
  readonly takesSessions?: boolean;
  /** Tells which addresses are those of proxies that may say whose connection it is. */
  readonly isProxy?: (hostname: string) => boolean;
  /** The client's address, as a request from a named proxy has it. For `ws:` and `wss:`. */
  readonly clientOf?: (hostname: string, headers: Headers) => string;
  /** How long peers stay, for `udp:`. */
  readonly udp?: UdpListenOptions;
}

/** Options for connecting. Each kind of transport uses some of them. */
export interface TransportConnectOptions {
  /** When it is aborted, connecting gives up. */
  readonly signal: AbortSignal;
  /** Whom to trust, for `tls:` and `wss:`. */
  readonly tls?: TlsConnectOptions;
  /** What to send in the handshake, for `ws:` and `wss:`. */
  readonly web?: WebConnectOptions;
  /** The URL of a proxy, `socks5://…` or `http://…`. */
  readonly proxy?: string;
  /** The address of this machine to connect from. Unix sockets have none. */
  readonly source?: string;
}
