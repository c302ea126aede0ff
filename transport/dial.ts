/** TCP connections, direct or through a proxy. */

import { isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { reasonOf } from "../reason.ts";
import { formatAddress } from "./endpoint.ts";
import { parseProxy, type Proxy, ProxyError } from "./proxy.ts";
import { Dialogue } from "./proxy/dialogue.ts";
import { httpConnect } from "./proxy/http.ts";
import { socks5 } from "./proxy/socks5.ts";

/** Where to dial. */
export interface DialTarget {
  /** A host name or address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** How to dial. */
export interface DialOptions {
  /** Gives up: rejects with its reason, and leaves no connection behind. */
  readonly signal: AbortSignal;
  /**
   * The proxy to go through, as {@linkcode parseProxy} reads it. It looks up the host.
   *
   * @default none
   */
  readonly proxy?: string;
}

const PROTOCOLS = { socks5, http: httpConnect };

/**
 * Connects by TCP, without delay for small writes. Through a proxy, the first byte that is read from
 * the result is the first one of the destination.
 *
 * @throws {TypeError} for a wrong proxy.
 * @throws {ProxyError} when the proxy cannot be reached, refuses or fails.
 * @throws the system's error, or the signal's reason.
 */
export async function dial(
  target: DialTarget,
  { signal, proxy }: DialOptions,
): Promise<Deno.TcpConn> {
  if (proxy === undefined) return await open(target, signal);
  return await dialThrough(parseProxy(proxy), forProxy(target), signal);
}

async function open({ hostname, port }: DialTarget, signal: AbortSignal): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port, signal });
  if (signal.aborted) {
    conn.close();
    throw signal.reason;
  }
  conn.setNoDelay(true);
  return conn;
}

async function dialThrough(
  proxy: Proxy,
  target: DialTarget,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const conn = await open(proxy, signal).catch((cause) => {
    throw signal.aborted ? signal.reason : unreachable(proxy, cause);
  });
  const abort = () => conn.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await PROTOCOLS[proxy.protocol](new Dialogue(proxy, conn), target);
    signal.throwIfAborted();
    return conn;
  } catch (cause) {
    signal.throwIfAborted();
    conn.close();
    throw cause instanceof ProxyError
      ? cause
      : new ProxyError(proxy, `failed: ${reasonOf(cause)}`, { cause });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function unreachable(proxy: Proxy, cause: unknown): Error {
  // A missing permission stays one, so that nobody tries again; the one for the destination would not help.
  if (cause instanceof Deno.errors.NotCapable) {
    const address = formatAddress(proxy.hostname, proxy.port);
    return new Deno.errors.NotCapable(`run with --allow-net=${address}`, { cause });
  }
  return new ProxyError(proxy, `cannot be reached: ${reasonOf(cause)}`, { cause });
}

/** The destination as every proxy understands it. */
function forProxy({ hostname, port }: DialTarget): DialTarget {
  const ascii = /^\p{ASCII}*$/u.test(hostname) ? hostname : domainToASCII(hostname);
  // Anything else could be taken for a part of the request.
  if (/^[\w.-]{1,255}$/.test(ascii) || (isIPv6(ascii) && !ascii.includes("%"))) {
    return { hostname: ascii, port };
  }
  throw new TypeError(
    `through a proxy, the host must be an address without zone or 1 to 255 of A-Z a-z 0-9 . _ -, ` +
      `not "${hostname}"`,
  );
}
