/** Options that only some kinds of transport have. */

/** Certificates of a server. Each is text in PEM (RFC 7468). */
export interface TlsListenOptions {
  /**
   * The certificate and the intermediate ones, in any order; other blocks are passed over. A key that
   * cannot serve, and one that is not the certificate's, is refused at once.
   */
  cert: string;
  /**
   * Its private key: RSA with 2048 bits or more, EC on P-256, P-384 or P-521, or Ed25519.
   *
   * @default the one in `cert`
   */
  key?: string;
  /**
   * The authorities whose client certificates are accepted. With this option every client needs a
   * certificate, and `connection.peer` tells whose it is.
   */
  clientCa?: string;
  /**
   * Application protocols (RFC 7301), the preferred one first. A client that offers only other
   * protocols is refused.
   *
   * @default []
   */
  alpn?: readonly string[];
}

/** Whom a client trusts, and who it is. Certificates and keys are text in PEM (RFC 7468). */
export interface TlsConnectOptions {
  /** The authorities to trust, instead of the system's authorities. */
  ca?: string;
  /** The client's own certificate, for servers that want one, as in {@linkcode TlsListenOptions}. */
  cert?: string;
  /**
   * Its private key.
   *
   * @default the one in `cert`
   */
  key?: string;
  /**
   * The name that the server's certificate must have.
   *
   * @default the endpoint's host
   */
  serverName?: string;
  /**
   * Application protocols to offer (RFC 7301).
   *
   * @default []
   */
  alpn?: readonly string[];
  /**
   * The SHA-256 fingerprint of the server's certificate, in hex with or without colons. Only that
   * certificate is accepted; its name and issuer do not matter.
   */
  fingerprint?: string;
  /**
   * Accepts any certificate. The connection is encrypted, but somebody in between may be the peer.
   *
   * @default false
   */
  insecure?: boolean;
}

/** How to start TLS in the middle of a connection. The ends have different roles. */
export type StartTlsOptions = StartTlsAsClient | StartTlsAsServer;

/** The end that says hello: whom it trusts. */
export interface StartTlsAsClient extends TlsConnectOptions, StartTlsLimits {
  /**
   * This end is the client.
   *
   * @default "client"
   */
  role?: "client";
}

/** The end that has the certificate. */
export interface StartTlsAsServer extends TlsListenOptions, StartTlsLimits {
  /** This end is the server. */
  role: "server";
}

/** What both roles have. */
export interface StartTlsLimits {
  /**
   * Time for sending what waits, and for the handshake, in milliseconds.
   *
   * @default 10_000
   */
  handshakeTimeout?: number;
}

/** What a WebSocket server does with web pages. */
export interface WebOptions {
  /**
   * The origins (RFC 6454) of web pages that may connect, such as `https://example.com`. `*` allows
   * all. Pages from this server itself may always connect, and so may programs that send no origin:
   * all programs but browsers.
   *
   * @default []
   */
  origins?: readonly string[];
  /**
   * Which of the client's subprotocols to pick (RFC 6455, section 1.9). A list names them in the
   * order of preference. A function gets the offered subprotocols and the request, and returns one
   * of them, or undefined for none. If none is picked, a browser or other client that has offered
   * some closes the connection. `connection.subprotocol` tells which one was picked.
   *
   * @default the first one that the client offers
   */
  subprotocols?:
    | readonly string[]
    | ((offered: readonly string[], request: Request) => string | undefined);
  /**
   * Compresses messages of 1 KiB to 4 MiB that become shorter by it, for clients that offer that
   * (permessage-deflate, RFC 7692); each by itself, without the context of the messages before. What
   * comes is limited by `maxMessageBytes` while it is inflated. `?deflate=1` in an endpoint is the same.
   *
   * @default false
   */
  deflate?: boolean;
  /**
   * The field in which the proxies of `proxies` tell the client's address, at `ws:` and `wss:` endpoints
   * and for `server.upgrade()`. They
   * must set it themselves, or add to its end. The other field is not read, because a proxy that does
   * not know it passes on what the client has written there.
   *
   * @default "x-forwarded-for"
   */
  forwarded?: "x-forwarded-for" | "forwarded";
  /**
   * Answers HTTP requests that do not ask for a WebSocket. By default, `/health` is answered with
   * 200 and every other path with 426.
   *
   * Bodies may have any size, and come as they are read; each part of an answer leaves when it is there
   * (server-sent events). A connection is used for further requests. An error is answered with 500, or
   * cuts an answer that has begun, and goes to `onRefuse`. `request.signal` is aborted when the peer
   * leaves or the server closes. The answer must begin within `handshakeTimeout`.
   */
  respond?: (request: Request) => Response | Promise<Response>;
}

/** What a WebSocket client sends in its handshake. */
export interface WebConnectOptions {
  /**
   * Subprotocols to offer, the preferred one first (RFC 6455, section 1.9). As in browsers, connecting
   * fails if the server picks none. `connection.subprotocol` tells which one was picked.
   *
   * @default []
   */
  subprotocols?: readonly string[];
  /**
   * Offers to compress messages, as `deflate` of {@linkcode WebOptions}. `?deflate=1` is the same.
   *
   * @default false
   */
  deflate?: boolean;
  /**
   * Further fields of the request, such as `Authorization` or `Origin`. The fields of the handshake
   * itself cannot be set.
   *
   * @default {}
   */
  headers?: Readonly<Record<string, string>>;
}

/** Limits for UDP, where a peer never tells its end. */
export interface UdpListenOptions {
  /**
   * A peer's connection ends after this time without a datagram either way, in milliseconds.
   *
   * @default 60_000
   */
  idleTimeout?: number;
}
