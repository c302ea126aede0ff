/** Addresses of peers: which belong together, and which have no limits. */

import { addressText, isLoopback, parseAddress } from "../internal/address.ts";

/**
 * Names what an address is counted as: an IPv6 address as its first 64 bits, since one customer has
 * all addresses that share them; an IPv4 address, also an IPv4-mapped one, as itself.
 */
export function networkOf(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const address = parseAddress(hostname);
  if (address === undefined) return hostname;
  return address.version === 4 ? addressText(address) : `${(address.value >> 64n).toString(16)}::`;
}

/** Whether a peer is on this machine: it has no address, as over `unix:`, or one of loopback. */
export function isLocalPeer(hostname: string): boolean {
  return hostname === "" || isLoopback(hostname);
}
