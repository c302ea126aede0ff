/** What is known about a socket, and about its errors. */

import { errors } from "../internal/runtime/errors.ts";
import type { TcpAddress, UnixAddress } from "../internal/runtime/stream_socket.ts";
import { formatAddress } from "../transport.ts";

/**
 * Whether the peer has reset its connection. Before it is accepted, that must not stop the
 * listener.
 */
export function peerHasGone(error: unknown): boolean {
  return error instanceof errors.NotConnected ||
    error instanceof errors.ConnectionReset ||
    error instanceof errors.ConnectionAborted;
}

/** The name of one end of a socket; empty if it has none. */
export function endName(address: TcpAddress | UnixAddress): string {
  return "hostname" in address ? formatAddress(address.hostname, address.port) : "";
}
