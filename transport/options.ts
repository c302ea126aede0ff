/** Options that only some kinds of transport know. */

/** Certificates of a server. Each is text in PEM (RFC 7468). */
export interface TlsListenOptions {
  /** The certificate, followed by the intermediate ones. */
  cert: string;
  /** Its private key. */
  key: string;
  /**
   * The authorities whose client certificates are accepted; then every client needs one, and
   * `connection.peer` tells whose it is.
   */
  clientCa?: string;
  /**
   * Application protocols (RFC 7301), the preferred first. A client that offers others only is
   * refused.
   *
   * @default []
   */
  alpn?: readonly string[];
}

/** Whom a client trusts, and who it is. Certificates and keys are text in PEM (RFC 7468). */
export interface TlsConnectOptions {
  /** The authorities that are trusted, instead of the system's. */
  ca?: string;
  /** The client's own certificate, for servers that want one. */
  cert?: string;
  /** Its private key. */
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
   * Accepts the server whose certificate has this SHA-256 fingerprint, in hex with or without
   * colons, and no other, whatever its name and issuer.
   */
  fingerprint?: string;
  /**
   * Accepts any certificate. The connection is encrypted, but anyone in between may be at its other end.
   *
   * @default false
   */
  insecure?: boolean;
}

/** What a server of WebSockets does with web pages. */
export interface WebOptions {
  /**
   * The origins (RFC 6454) of pages that may connect beside those that this server serves itself,
   * such as `https://example.com`; `*` is any. Programs that are no browsers send no origin, and
   * may always connect.
   *
   * @default []
   */
  origins?: readonly string[];
  /**
   * Which of the subprotocols that a client offers to pick (RFC 6455, section 1.9): a list, in the
   * order of preference, or a function, which also sees the request, and gives undefined for none. For
   * a client that offers some, browsers and most programs, picking none is the end of the connection.
   * `connection.subprotocol` tells which was picked.
   *
   * @default the first that the client offers
   */
  subprotocols?:
    | readonly string[]
    | ((offered: readonly string[], request: Request) => string | undefined);
  /**
   * Answers requests that want no WebSocket. By default `/health` is answered with 200 and everything
   * else with 426.
   */
  respond?: (request: Request) => Response | Promise<Response>;
}

/** What a client of WebSockets says in its handshake. */
export interface WebConnectOptions {
  /**
   * Subprotocols to offer, the preferred first (RFC 6455, section 1.9). A server that picks none is
   * refused, as browsers do. `connection.subprotocol` tells which was picked.
   *
   * @default []
   */
  subprotocols?: readonly string[];
  /**
   * Further fields of the request, such as `Authorization` or `Origin`. Those of the handshake itself
   * cannot be set.
   *
   * @default {}
   */
  headers?: Readonly<Record<string, string>>;
}

/** Bounds for peers over UDP, who never say that they leave. */
export interface UdpListenOptions {
  /**
   * Time without a datagram either way after which a peer's connection ends, in milliseconds.
   *
   * @default 60_000
   */
  idleTimeout?: number;
}
