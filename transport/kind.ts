/** What a kind of transport is: how endpoints of its name are opened and connected to. */

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
  /** How many messages were dropped because they belong to no connection, where that may be. */
  readonly dropped?: number;
  /** The next peer. Rejects when accepting failed this time, or after `close()`. */
  accept(): Promise<AcceptedPeer>;
  /**
   * Presents other certificates to peers that come from now on, where there are any.
   *
   * @throws {TypeError} for certificates that cannot be used; then the old ones stay.
   */
  replaceCertificates?(tls: TlsListenOptions): void;
  /** Stops listening. Never throws; a second call does nothing. */
  close(): void;
}

/** A peer that was accepted, before it is made a connection. */
export interface AcceptedPeer {
  /** The peer's host, to count connections by; empty for a peer that is on this machine for sure. */
  readonly hostname: string;
  /**
   * Makes it ready for messages, where that takes a handshake until the signal is aborted. Resolves to
   * undefined for a peer that wanted something else, and got it, or that left before it sent a byte.
   * Rejects with the reason why it failed.
   */
  open(options: { readonly signal: AbortSignal }): Transport | Promise<Transport | undefined>;
  /** Turns it away. */
  refuse(): void;
}

/** What a kind of transport can do. */
export interface TransportKind<E extends Endpoint = Endpoint> {
  /** Opens an endpoint for peers. Rejects with the system's error. */
  listen(endpoint: E, options: TransportListenOptions): Promise<TransportListener>;
  /** Connects to an endpoint. Rejects with the system's error, or the signal's reason. */
  connect(endpoint: E, options: TransportConnectOptions): Promise<Transport>;
}

/** What some kinds of transport want to know for listening. */
export interface TransportListenOptions {
  /** Connections that the system holds until they are accepted. */
  readonly backlog: number;
  /** Certificates, for `tls:` and `wss:`. */
  readonly tls?: TlsListenOptions;
  /** The web, for `ws:` and `wss:`. */
  readonly web?: WebOptions;
  /** Peers without connections, for `udp:`. */
  readonly udp?: UdpListenOptions;
}

/** What some kinds of transport want to know for connecting. */
export interface TransportConnectOptions {
  /** Gives up. */
  readonly signal: AbortSignal;
  /** Whom to trust, for `tls:` and `wss:`. */
  readonly tls?: TlsConnectOptions;
  /** What to say in the handshake, for `ws:` and `wss:`. */
  readonly web?: WebConnectOptions;
  /** A proxy to go through, `socks5://…` or `http://…`. */
  readonly proxy?: string;
}
