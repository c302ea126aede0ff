/** TCP connections, direct or through a proxy. */

import { type DialTarget, parseProxy } from "./proxy.ts";

/** How to dial. */
export interface DialOptions {
  /** When it is aborted, `dial()` gives up, rejects with its reason, and leaves no connection open. */
  readonly signal: AbortSignal;
  /**
   * The URL of the proxy to use; see {@linkcode parseProxy}. The proxy looks up the host name.
   *
   * @default none
   */
  readonly proxy?: string;
}

/**
 * Connects by TCP, with Nagle's algorithm off. With a proxy, the connection is already through it: the
 * first byte that is read comes from the destination.
 *
 * @throws {TypeError} if the URL of the proxy is wrong.
 * @throws {ProxyError} if the proxy cannot be reached, refuses or fails.
 * @throws the system's error, or the signal's reason.
 */
export async function dial(
  target: DialTarget,
  { signal, proxy }: DialOptions,
): Promise<Deno.TcpConn> {
  if (proxy === undefined) return await openDirectly(target, signal);
  // Imported only when it is needed, because its dependencies take time to load.
  const { dialThrough } = await import("./proxy/through.ts");
  return await dialThrough(parseProxy(proxy), target, signal, openDirectly);
}

async function openDirectly(
  { hostname, port }: DialTarget,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  // Deno 2.9.6 checks the signal once more after it has connected, and then throws without closing
  // the connection. Nobody could close it any more. So it gets a signal with which it does not throw.
  const stop = AbortSignal.any([signal]);
  stop.throwIfAborted = () => {};
  let conn: Deno.TcpConn;
  try {
    conn = await Deno.connect({ hostname, port, signal: stop });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  if (signal.aborted) {
    conn.close();
    throw signal.reason;
  }
  conn.setNoDelay(true);
  return conn;
}
