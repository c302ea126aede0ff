/** What is known about a socket of Deno, and about its errors. */

import { formatAddress } from "../transport.ts";

/**
 * Whether the peer has reset its connection. Before it is accepted, that must not stop the
 * listener.
 */
export function peerHasGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

/** The name of one end of a socket; empty if it has none. */
export function endName(address: Deno.Addr): string {
  return "hostname" in address ? formatAddress(address.hostname, address.port) : "";
}
