/** What a kind of transport is: it listens on its endpoints and connects to them. */

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

/** A peer that was accepted and is not a connection yet. */
export interface AcceptedPeer {
  /** The peer's address, by which connections are counted; empty for a peer on this machine. */
  readonly hostname: string;
  /**
   * Makes the peer ready for messages, by a handshake if the transport has one. Gives up when the
   * signal is aborted. Resolves to undefined for a peer that left before it sent a byte, or whose
   * request was answered without a WebSocket. Rejects with the reason if the handshake fails.
   */
  open(options: { readonly signal: AbortSignal }): Transport | Promise<Transport | undefined>;
  /** Closes it without a handshake. */
  refuse(): void;
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
  /** Certificates, for `tls:` and `wss:`. */
  readonly tls?: TlsListenOptions;
  /** What to do with web pages, for `ws:` and `wss:`. */
  readonly web?: WebOptions;
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
}
