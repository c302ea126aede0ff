/** Ports for TCP: one server's own, or one that several servers share. */

import type { TcpListenOptions } from "../internal/runtime/stream_socket.ts";
import type { TransportListenOptions } from "./kind.ts";

/** What is said of a port when it is opened. */
export function portOf(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  { backlog, reusePort = false }: TransportListenOptions,
): TcpListenOptions {
  return { hostname, port, backlog, reusePort };
}
