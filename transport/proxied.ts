/**
 * Peers behind a proxy that tells whose connection it passes on, by the PROXY protocol
 * (`?proxy=1`). The header comes before everything else, also before the handshake of TLS.
 */

import { errors } from "../internal/runtime/errors.ts";
import { ConnectionLostError, ProtocolError } from "../errors.ts";
import { isLoopback, isWildcard } from "../internal/address.ts";
import type { TcpSocket } from "../internal/runtime/stream_socket.ts";
import { peerHasGone } from "./conn.ts";
import type { AcceptedPeer } from "./kind.ts";
import { ProxiedConn } from "./proxied/conn.ts";
import { MAX_HEADER_BYTES, type ProxyHeader, readHeader } from "./proxied/header.ts";
import type { TcpEndpoint, TlsEndpoint, Transport } from "../transport.ts";

/** Most headers are shorter. */
const USUAL_HEADER_BYTES = 256;

/** Makes a peer ready for messages. */
export type Open = (
  conn: TcpSocket,
  options: { signal: AbortSignal },
) => Transport | Promise<Transport | undefined>;

/**
 * Makes the peers of an endpoint with `?proxy=1`; undefined for other endpoints. `isProxy` tells which
 * addresses may say whose connection it is.
 */
export function behindProxy(
  { proxy }: TcpEndpoint | TlsEndpoint,
  open: Open,
  isProxy: (hostname: string) => boolean = () => false,
): ((conn: TcpSocket) => AcceptedPeer) | undefined {
  return proxy ? (conn) => new ProxiedPeer(conn, open, isProxy) : undefined;
}

/** A peer whose address is the proxy's, until `identify()` has read whose it is. */
export class ProxiedPeer implements AcceptedPeer {
  #conn: TcpSocket;
  readonly #open: Open;
  readonly #isProxy: (hostname: string) => boolean;

  constructor(conn: TcpSocket, open: Open, isProxy: (hostname: string) => boolean) {
    this.#conn = conn;
    this.#open = open;
    this.#isProxy = isProxy;
  }

  get hostname(): string {
    return this.#conn.remoteAddr.hostname;
  }

  /** See {@linkcode AcceptedPeer.identify}. */
  async identify({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const { hostname } = this;
    if (!this.#isProxy(hostname)) {
      throw new ProtocolError(
        `Cannot take ${hostname} for a proxy: it is not among those that were named (proxies)`,
      );
    }
    const close = () => this.refuse();
    signal.addEventListener("abort", close, { once: true });
    try {
      signal.throwIfAborted();
      const read = await readFrom(this.#conn);
      if (read === undefined) return false;
      const { header: { source }, rest } = read;
      const { remoteAddr } = this.#conn;
      const isClient = source !== undefined && !isElsewhere(source.hostname, hostname);
      this.#conn = new ProxiedConn(
        this.#conn,
        isClient ? { transport: "tcp", ...source } : remoteAddr,
        rest,
      );
      return true;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  open(options: { signal: AbortSignal }): Transport | Promise<Transport | undefined> {
    return this.#open(this.#conn, options);
  }

  refuse(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof errors.BadResource)) throw error; // It was closed before.
    }
  }
}

/**
 * Whether an address means the machine of a proxy that is another machine. Here it would be taken for
 * this one, which has no limits.
 */
function isElsewhere(hostname: string, proxy: string): boolean {
  return isWildcard(hostname) || isLoopback(hostname) && !isLoopback(proxy);
}

/** Reads a header. Undefined if the peer left before it sent a byte. */
async function readFrom(
  conn: TcpSocket,
): Promise<{ header: ProxyHeader; rest: Uint8Array } | undefined> {
  let arrived = new Uint8Array(USUAL_HEADER_BYTES);
  let length = 0;
  for (;;) {
    const bytes = await readInto(conn, arrived.subarray(length), length > 0);
    if (bytes === null) {
      if (length === 0) return undefined;
      throw new ConnectionLostError("Cannot read PROXY header: the peer ended inside it");
    }
    length += bytes;
    const header = readHeader(arrived.subarray(0, length));
    if (header !== undefined) return { header, rest: arrived.slice(header.bytes, length) };
    if (length === arrived.length) arrived = grown(arrived);
  }
}

/** The peer's reset before its first byte is an end, too: it is how some look whether a port is open. */
async function readInto(
  conn: TcpSocket,
  target: Uint8Array,
  hasBegun: boolean,
): Promise<number | null> {
  try {
    return await conn.read(target);
  } catch (error) {
    if (!hasBegun && peerHasGone(error)) return null;
    throw error;
  }
}

function grown(arrived: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(MAX_HEADER_BYTES);
  larger.set(arrived);
  return larger;
}
