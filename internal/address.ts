/** IP addresses as text: what they are, in every way to write them. */

/** An IP address as a number. */
export interface Address {
  /** IPv4-mapped IPv6 addresses are IPv4. */
  readonly version: 4 | 6;
  /** The address without its zone. */
  readonly value: bigint;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^([\da-f:.]*:[\da-f:.]*)(?:%.+)?$/i;
/** What an IPv4-mapped address begins with. */
const MAPPED = 0xffffn;

/**
 * Whether an address is this machine's own: 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291), also
 * IPv4-mapped. A name is none, and nor is no address at all.
 */
export function isLoopback(hostname: string): boolean {
  // Asked of every peer that comes, most of which have plain IPv4 addresses.
  if (!hostname.includes(":")) return hostname.startsWith("127.") && IPV4.test(hostname);
  const address = parseAddress(hostname);
  if (address === undefined) return false;
  return address.version === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

/** Whether an address stands for all addresses of this machine: 0.0.0.0 or ::, in every spelling. */
export function isWildcard(hostname: string): boolean {
  return parseAddress(hostname)?.value === 0n;
}

/** Whether a name is `localhost`, or one below it: always this machine (RFC 6761). */
export function isLocalhost(hostname: string): boolean {
  return /^(.*\.)?localhost$/i.test(hostname);
}

/** Loopback, in the family of an address: 127.0.0.1 for an IPv4-mapped one too. */
export function loopbackFor(hostname: string): string {
  return parseAddress(hostname)?.version === 6 ? "::1" : "127.0.0.1";
}

/**
 * The host of a `HOST:PORT`, without the brackets of an IPv6 address; undefined for what is none, as
 * a path or a name of memory.
 */
export function hostnameOf(hostAndPort: string): string | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:/]+)):\d+$/.exec(hostAndPort);
  return match?.[1] ?? match?.[2];
}

/** The address that a text says; undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  if (IPV4.test(text)) {
    const value = text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
    return { version: 4, value: BigInt(value) };
  }
  const [, plain] = IPV6.exec(text) ?? [];
  if (plain === undefined) return undefined;
  // A URL checks the address and writes it as groups of digits, with one "::" at most.
  const groups = URL.parse(`http://[${plain}]`)?.hostname.slice(1, -1).split("::");
  if (groups === undefined) return undefined;
  const [left, right = ""] = groups.map(expand);
  const value = BigInt(`0x${left.padEnd(32 - right.length, "0")}${right}`);
  return value >> 32n === MAPPED
    ? { version: 4, value: value & 0xffff_ffffn }
    : { version: 6, value };
}

/** The one spelling of an address that all its spellings have in common. */
export function addressText({ version, value }: Address): string {
  if (version === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  }
  const groups = value.toString(16).padStart(32, "0").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

/** Groups as digits only, four each. */
function expand(groups: string): string {
  return groups === "" ? "" : groups.split(":").map((group) => group.padStart(4, "0")).join("");
}
