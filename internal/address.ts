/** IP addresses in text, in every way to write them. */

/** An IP address as a number. */
export interface Address {
  /** The IP version. An IPv4-mapped IPv6 address counts as IPv4. */
  readonly version: 4 | 6;
  /** The address without its zone. */
  readonly value: bigint;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^([\da-f:.]*:[\da-f:.]*)(?:%.+)?$/i;
/** The upper 96 bits of an IPv4-mapped address. */
const MAPPED = 0xffffn;

/**
 * Whether a text is a loopback address: 127.0.0.0/8 (RFC 1122), also IPv4-mapped, or ::1 (RFC 4291).
 * A host name is not an address.
 */
export function isLoopback(hostname: string): boolean {
  // The short way: this is checked for every peer, and most peers have plain IPv4 addresses.
  if (!hostname.includes(":")) return hostname.startsWith("127.") && IPV4.test(hostname);
  const address = parseAddress(hostname);
  if (address === undefined) return false;
  return address.version === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

/** Whether a text is the address for all addresses of this machine: 0.0.0.0 or ::, in any spelling. */
export function isWildcard(hostname: string): boolean {
  return parseAddress(hostname)?.value === 0n;
}

/** Whether a name is `localhost` or a subdomain of it. They always mean this machine (RFC 6761). */
export function isLocalhost(hostname: string): boolean {
  return /^(.*\.)?localhost$/i.test(hostname);
}

/** The loopback address of an address's family. For an IPv4-mapped address it is 127.0.0.1. */
export function loopbackFor(hostname: string): string {
  return parseAddress(hostname)?.version === 6 ? "::1" : "127.0.0.1";
}

/**
 * The host of `HOST:PORT`, without the brackets of an IPv6 address. Undefined if the text does not have
 * that form: the path of a Unix socket, or the name of a memory endpoint.
 */
export function hostnameOf(hostAndPort: string): string | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:/]+)):\d+$/.exec(hostAndPort);
  return match?.[1] ?? match?.[2];
}

/** Parses an address. Undefined if the text is not an address. */
export function parseAddress(text: string): Address | undefined {
  if (IPV4.test(text)) {
    const value = text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
    return { version: 4, value: BigInt(value) };
  }
  const [, plain] = IPV6.exec(text) ?? [];
  if (plain === undefined) return undefined;
  // URL checks the address, and writes it as groups of hex digits with at most one "::".
  const groups = URL.parse(`http://[${plain}]`)?.hostname.slice(1, -1).split("::");
  if (groups === undefined) return undefined;
  const [left, right = ""] = groups.map(expand);
  const value = BigInt(`0x${left.padEnd(32 - right.length, "0")}${right}`);
  return value >> 32n === MAPPED
    ? { version: 4, value: value & 0xffff_ffffn }
    : { version: 6, value };
}

/** Writes an address in its canonical form: equal addresses give equal texts. */
export function addressText({ version, value }: Address): string {
  if (version === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  }
  const groups = value.toString(16).padStart(32, "0").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** Joins groups of hex digits, each padded to four digits. */
function expand(groups: string): string {
  return groups === "" ? "" : groups.split(":").map((group) => group.padStart(4, "0")).join("");
}

/**
 * A URL without user and password: without what stands before the last `@` in it, if a colon is in
 * that. The path of a Unix socket may have both, and is left as it is.
 */
export function withoutPassword(url: string): string {
  if (/^unix:/i.test(url)) return url;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? "";
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf("@");
  const colon = rest.indexOf(":");
  return colon >= 0 && colon < at ? `${scheme}…${rest.slice(at)}` : url;
}
