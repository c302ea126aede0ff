/** TCP connections, direct or through a proxy. */

import { sockets } from "../internal/runtime/sockets.ts";
import type { TcpSocket } from "../internal/runtime/stream_socket.ts";
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
  /**
   * The address of this machine to connect from.
   *
   * @default the system chooses
   */
  readonly source?: string;
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
  { signal, proxy, source }: DialOptions,
): Promise<TcpSocket> {
  const open = await opener(source);
  if (proxy === undefined) return await open(target, signal);
  // Imported only when it is needed, because its dependencies take time to load.
  const { dialThrough } = await import("./proxy/through.ts");
  return await dialThrough(parseProxy(proxy), target, signal, open);
}

/** What opens connections. Deno's own sockets cannot choose where from. */
async function opener(source: string | undefined): Promise<typeof openDirectly> {
  if (source === undefined) return openDirectly;
  const { openFrom } = await import("./source.ts"); // It loads node:net.
  return (target, signal) => openFrom(source, target, signal);
}

async function openDirectly(target: DialTarget, signal: AbortSignal): Promise<TcpSocket> {
  return await (await sockets()).connectTcp(target, signal);
}
