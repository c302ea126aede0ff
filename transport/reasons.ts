/** Explains why an endpoint could not be opened or reached, and what is wrong with its address. */

import { parseAddress } from "../internal/address.ts";
import { codeOf, reasonOf } from "../internal/reason.ts";

/** What was tried with an endpoint. */
export type Verb = "listen" | "connect";

const UNKNOWN_HOST = "failed to lookup address";

/** The reason, as the last part of an error's message, behind the endpoint. */
export function endpointReason(cause: unknown, endpoint: object, verb: Verb): string {
  const hostname = "hostname" in endpoint ? String(endpoint.hostname) : undefined;
  if (hostname === undefined) return reasonOf(cause);
  return addressFault(cause, hostname, verb) ?? reasonOf(cause);
}

/** What is wrong with an address. The system only says "invalid argument", or "unknown host". */
function addressFault(cause: unknown, hostname: string, verb: Verb): string | undefined {
  const [address, zone] = hostname.split("%");
  const bits = parseAddress(address);
  if (bits === undefined) return undefined;
  const isLinkLocal = bits.version === 6 && bits.value >> 118n === 0x3fan; // fe80::/10, RFC 4291
  const isMulticast = bits.version === 6
    ? bits.value >> 120n === 0xffn
    : bits.value >> 28n === 0xen;
  const isInvalid = codeOf(cause) === "EINVAL";
  if (isLinkLocal && zone === undefined && isInvalid) {
    return `a link-local address needs its zone, the name of a network interface: [${address}%eth0]`;
  }
  if (zone !== undefined && reasonOf(cause) === reasonOf(UNKNOWN_HOST)) {
    return `this machine has no network interface "${zone}", which the address names as its zone`;
  }
  if (isMulticast) return `${reasonOf(cause)}; a multicast address is for udp:// only`;
  if (codeOf(cause) === "EADDRINUSE" && verb === "listen" && bits.value === 0n) {
    return `${
      reasonOf(cause)
    }. [::] takes the addresses of IPv4 too, as 0.0.0.0 does: give one of them`;
  }
  return isInvalid ? `the system cannot use the address ${hostname} for that` : undefined;
}
