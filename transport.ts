/**
 * What a transport promises, and endpoints: where one listens or connects, written as a URL.
 *
 * @module
 */

import type { EndInfo, Framing } from "./codec.ts";
import type { Blocks } from "./internal/memory.ts";
import type { Endpoint } from "./transport/endpoint.ts";
import type {
  TlsConnectOptions,
  TlsListenOptions,
  UdpListenOptions,
  WebOptions,
} from "./transport/options.ts";

export * from "./transport/endpoint.ts";
export type * from "./transport/options.ts";

/**
 * One open stream of bytes to a peer, both ways. The connection above it does the framing, the
 * waiting and the limits; a transport only moves chunks.
 *
 * - Bytes arrive in order and once, or `read()` rejects.
 * - At most one `read()` and one `write()` are under way at a time.
 * - After `close()` a pending call rejects or resolves soon, and nothing else happens.
 */
export interface Transport {
  /** The framing that it brings, and that stands in the place of any other. */
  readonly framing?: Framing;
  /**
   * Whether each end is told when the other ends. False for UDP, where nobody is.
   *
   * @default true
   */
  readonly tellsEnd?: boolean;
  /** Who the peer proved to be. */
  readonly peer?: PeerIdentity;
  /** The address of this end, such as `127.0.0.1:1234`. */
  readonly local: string;
  /** The address of the peer. */
  readonly remote: string;
  /**
   * The next chunk, which then belongs to the caller; undefined at the end, and after `closeWrite()`
   * where there is no end. Empty only where it is a message.
   *
   * @param room Tells where the chunk is best read to, given how many bytes would be read otherwise.
   * Whoever reads into it gives its start as the chunk. It need not be called.
   */
  read(room?: (bytes: number) => Uint8Array | undefined): Promise<Uint8Array | undefined>;
  /** How many messages arrived and were dropped for want of room, where that may be. */
  readonly dropped?: number;
  /** Takes back a chunk that nobody looks at any more, to read into it again. */
  readonly recycle?: (chunk: Uint8Array) => void;
  /**
   * Hands over the start of a chunk; resolves to how many bytes were taken, at least one unless the
   * chunk is empty. It must not change the chunk. `endsMessage` tells that a message ends where the
   * chunk does.
   */
  write(chunk: Uint8Array, endsMessage?: boolean): Promise<number>;
  /** Whether it keeps what was written, so that nobody may use the memory again. */
  readonly keepsChunks?: boolean;
  /**
   * Where the memory comes from in which frames are put together, and where it goes when it was taken.
   *
   * @internal
   */
  readonly blocks?: Blocks;
  /** Tells the peer that nothing more will be written, and why, where it has words for that. */
  closeWrite(info?: EndInfo): Promise<void>;
  /** What the peer said about its end, once `read()` gave undefined. */
  readonly ended?: EndInfo | undefined;
  /** Ends both directions at once, in error or not. Never throws; a second call does nothing. */
  close(error?: unknown): void;
}

/** Who a peer proved to be, by its certificate. */
export interface PeerIdentity {
  /** The certificate's common name, or else its first alternative name. */
  readonly name: string;
  /** Its alternative names, such as `DNS:example.com`. */
  readonly altNames: readonly string[];
  /** The common name of who issued it. */
  readonly issuer: string;
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

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
  /** A proxy to go through, `socks5://…` or `http://…`. */
  readonly proxy?: string;
}
