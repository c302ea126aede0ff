/** Addresses for UDP, and the permission to use them. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { errors } from "../../internal/runtime/errors.ts";
import { isGranted } from "../../internal/runtime/permissions.ts";
import { formatAddress } from "../../transport.ts";

const { lookup } = builtin("node:dns/promises");
const { isIP } = builtin("node:net");

/** The address of a host: the first one that the system gives, of one family if that is given. */
export async function resolve(hostname: string, family?: 4 | 6): Promise<string> {
  if (isIP(hostname) !== 0) return canonical(hostname, { keepZone: true });
  requireNet(hostname);
  try {
    return (await lookup(hostname, { family })).address;
  } catch (cause) {
    throw new Error(`failed to lookup address of "${hostname}"`, { cause });
  }
}

/** An address in its canonical form: equal addresses give equal texts. */
export function canonical(address: string, { keepZone = false } = {}): string {
  if (!address.includes(":")) return address;
  const [plain, zone] = address.split("%");
  const written = URL.parse(`http://[${plain}]`)?.hostname.slice(1, -1) ?? plain;
  return keepZone && zone !== undefined ? `${written}%${zone}` : written;
}

/** Whether an address is IPv6. */
export function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** Whether an address is a multicast group: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291). */
export function isMulticast(address: string): boolean {
  if (isIP(address) === 0) return false;
  return isIPv6(address) ? /^ff/i.test(address) : (Number.parseInt(address) & 0xf0) === 0xe0;
}

/** The address for all addresses of this machine, in the same family. */
export function wildcardFor(address: string): string {
  return isIPv6(address) ? "::" : "0.0.0.0";
}

/** Whether the whole network is permitted, so that single addresses need no check. */
export function hasAllNet(): boolean {
  return isGranted({ name: "net" });
}

/**
 * Checks the permission for an address before the system is called. Without this check, Deno would ask
 * the user, or would not say which permission is missing.
 *
 * @throws {Deno.errors.NotCapable} if the permission is missing.
 */
export function requireNet(hostname: string, port?: number): void {
  const [plain] = hostname.split("%");
  const host = port === undefined ? plain : formatAddress(plain, port);
  if (isGranted({ name: "net", host })) return;
  throw new errors.NotCapable(
    `Requires net access to "${host}", run again with the --allow-net flag`,
  );
}
