/** TCP connections, direct or through a proxy. */

import { type DialTarget, parseProxy } from "./proxy.ts";

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
  if (proxy === undefined) return await openDirectly(target, signal);
  // Not before it is needed: what it stands on takes time to load.
  const { dialThrough } = await import("./proxy/through.ts");
  return await dialThrough(parseProxy(proxy), target, signal, openDirectly);
}

async function openDirectly(
  { hostname, port }: DialTarget,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port, signal });
  if (signal.aborted) {
    conn.close();
    throw signal.reason;
  }
  conn.setNoDelay(true);
  return conn;
}
