/** Addresses of peers: which belong together, and which are on a list. */

/** Who may come in, by remote address. */
export interface AddressRules {
  /**
   * Addresses and networks that may come in, such as `192.168.1.7`, `10.0.0.0/8`, `::1`, `fe80::/10`;
   * all others are refused. An empty list refuses all. Peers without an address, those of `memory:`
   * and `unix:`, are not refused. `::/0` is all of IPv6 and none of IPv4.
   *
   * @default all
   */
  readonly allow?: readonly string[];
  /**
   * Addresses and networks that may not come in, also when `allow` names them.
   *
   * @default none
   */
  readonly deny?: readonly string[];
}

/** An IP address as a number. IPv4-mapped IPv6 addresses are IPv4, zones are left out. */
interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** The addresses whose value without its last `hostBits` is `prefix`. */
interface Network {
  readonly version: 4 | 6;
  readonly hostBits: bigint;
  readonly prefix: bigint;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^([\da-f:.]*:[\da-f:.]*)(?:%.+)?$/i;
const MAPPED = 0xffffn;

/**
 * Gives what tells whether an address may not come in, or `undefined` without rules. It looks through
 * the lists, so that its time grows with them.
 *
 * @throws {TypeError} naming the first entry that is no address or network, and what would be right.
 *   A network whose address goes beyond its prefix, as in `10.0.0.1/8`, is one: it would let in
 *   16 million addresses where one may have been meant.
 */
export function deniedBy(rules: AddressRules): ((hostname: string) => boolean) | undefined {
  const allow = parseNetworks("allow", rules.allow);
  const deny = parseNetworks("deny", rules.deny);
  if (allow === undefined && deny === undefined) return undefined;
  return (hostname) => {
    if (hostname === "") return false;
    const address = parseAddress(hostname);
    return includes(deny ?? [], address) || (allow !== undefined && !includes(allow, address));
  };
}

/**
 * Names what an address is counted as: an IPv6 address as its first 64 bits, since one customer has
 * all addresses that share them; an IPv4 address, also an IPv4-mapped one, as itself.
 */
export function networkOf(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const address = parseAddress(hostname);
  if (address === undefined) return hostname;
  return address.version === 4
    ? formatAddress(address)
    : `${(address.value >> 64n).toString(16)}::`;
}

/**
 * Whether an address is this machine: 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291), also IPv4-mapped, or
 * none at all.
 */
export function isLoopback(hostname: string): boolean {
  if (hostname === "") return true;
  const address = parseAddress(hostname);
  if (address === undefined) return false;
  return address.version === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

function includes(networks: readonly Network[], address: Address | undefined): boolean {
  return address !== undefined &&
    networks.some(({ version, hostBits, prefix }) =>
      version === address.version && address.value >> hostBits === prefix
    );
}

function parseNetworks(name: string, texts?: readonly string[]): Network[] | undefined {
  if (texts === undefined) return undefined;
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string")) {
    throw new TypeError(
      `Cannot use ${name} ${JSON.stringify(texts)}: it must be an array of strings`,
    );
  }
  return texts.map((text) => parseNetwork(name, text));
}

function parseNetwork(name: string, text: string): Network {
  const fail = (state: string) =>
    new TypeError(`Cannot use ${name} ${JSON.stringify(text)}: ${state}`);
  const [host, bits, ...more] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) {
    throw fail(`it must be an IP address or a network, such as "192.168.1.7" or "10.0.0.0/8"`);
  }
  const zone = host.indexOf("%");
  if (zone >= 0) throw fail(`peers are told without zone; write "${host.slice(0, zone)}"`);

  const { version, value } = address;
  // Of an IPv4-mapped address the 96 bits before the IPv4 address are part of the prefix.
  const offset = version === 4 && host.includes(":") ? 96 : 0;
  const width = version === 4 ? 32 : 128;
  if (bits === undefined) return { version, hostBits: 0n, prefix: value };
  const prefixBits = /^(?:0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) - offset : -1;
  if (prefixBits < 0 || prefixBits > width) {
    throw fail(`the prefix must be an integer from ${offset} to ${offset + width}`);
  }
  const hostBits = BigInt(width - prefixBits);
  const prefix = value >> hostBits;
  const network = { version, value: prefix << hostBits };
  if (network.value !== value) {
    const whole = `${formatAddress(network)}/${prefixBits}`;
    throw fail(
      `its address goes beyond its prefix; write "${whole}" for the network, ` +
        `or "${formatAddress(address)}" for the address`,
    );
  }
  return { version, hostBits, prefix };
}

function parseAddress(text: string): Address | undefined {
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

/** Groups as digits only, four each. */
function expand(groups: string): string {
  return groups === "" ? "" : groups.split(":").map((group) => group.padStart(4, "0")).join("");
}

function formatAddress({ version, value }: Address): string {
  if (version === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  }
  const groups = value.toString(16).padStart(32, "0").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
