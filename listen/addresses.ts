/** Which addresses of peers are counted together, and which have no limits. */

import { addressText, isLoopback, parseAddress } from "../internal/address.ts";

/**
 * The key under which an address is counted. For an IPv6 address it is the first 64 bits, because
 * one customer has all addresses that share them. For an IPv4 address, also an IPv4-mapped one, it
 * is the address itself.
 */
export function networkOf(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const address = parseAddress(hostname);
  if (address === undefined) return hostname;
  return address.version === 4 ? addressText(address) : `${(address.value >> 64n).toString(16)}::`;
}

/**
 * Whether a peer is on this machine. Such a peer has a loopback address, or no address, as over
 * `unix:`.
 */
export function isLocalPeer(hostname: string): boolean {
  return hostname === "" || isLoopback(hostname);
}
