/**
 * Decides by its address whether a peer may connect. This file loads node:net, so only servers with
 * such rules import it.
 */

import { builtin } from "../internal/runtime/builtin.ts";
import type { BlockList } from "node:net";
import { type Address, addressText, parseAddress } from "../internal/address.ts";

const net = builtin("node:net");

/** Which remote addresses may connect. */
export interface AddressRules {
  /**
   * Addresses and networks that may connect, such as `192.168.1.7`, `10.0.0.0/8`, `::1`,
   * `fe80::/10`. All others are refused. An empty list refuses all. Peers without an address (over
   * `memory:` and `unix:`) are not refused. `::/0` means all of IPv6 and none of IPv4.
   *
   * @default all
   */
  readonly allow?: readonly string[];
  /**
   * Addresses and networks that may not connect. This holds also when `allow` names them.
   *
   * @default none
   */
  readonly deny?: readonly string[];
}

/**
 * Makes a function that tells whether an address is one of the named ones.
 *
 * @throws {TypeError} for the first entry that is not an address or a network. It names the option.
 */
export function isNamedIn(name: string, texts: readonly string[]): (hostname: string) => boolean {
  const list = listOf(name, texts);
  return (hostname) => includes(list, parseAddress(hostname));
}

/** The addresses that share the first `bits` of an address. */
interface Network extends Address {
  readonly bits: number;
}

/**
 * Makes a function that tells whether an address is refused. Returns `undefined` if there are no
 * rules. The function goes through the lists, so its time grows with their length.
 *
 * @throws {TypeError} for the first entry that is not an address or a network. The error names it
 * and says what would be right. `10.0.0.1/8` is refused too, because its address goes beyond its
 * prefix: it would let in 16 million addresses where perhaps one was meant.
 */
export function deniedBy(rules: AddressRules): ((hostname: string) => boolean) | undefined {
  const allow = listOf("allow", rules.allow);
  const deny = listOf("deny", rules.deny);
  if (allow === undefined && deny === undefined) return undefined;
  return (hostname) => {
    if (hostname === "") return false;
    const address = parseAddress(hostname);
    return includes(deny, address) || (allow !== undefined && !includes(allow, address));
  };
}

/**
 * An IPv4-mapped address is looked up as IPv4. Otherwise `::/0` in a list would mean all of IPv4
 * too.
 */
function includes(list: BlockList | undefined, address: Address | undefined): boolean {
  return list !== undefined && address !== undefined &&
    list.check(addressText(address), `ipv${address.version}`);
}

function listOf(name: string, texts?: readonly string[]): BlockList | undefined {
  if (texts === undefined) return undefined;
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string")) {
    throw new TypeError(
      `Cannot use ${name} ${JSON.stringify(texts)}: it must be an array of strings`,
    );
  }
  const list = new net.BlockList();
  for (const text of texts) {
    const network = parseNetwork(name, text);
    list.addSubnet(addressText(network), network.bits, `ipv${network.version}`);
  }
  return list;
}

function parseNetwork(name: string, text: string): Network {
  const fail = (state: string) =>
    new TypeError(`Cannot use ${name} ${JSON.stringify(text)}: ${state}`);
  const [host, prefix, ...more] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) {
    throw fail(`it must be an IP address or a network, such as "192.168.1.7" or "10.0.0.0/8"`);
  }
  const zone = host.indexOf("%");
  if (zone >= 0) throw fail(`peers are told without zone; write "${host.slice(0, zone)}"`);

  const width = address.version === 4 ? 32 : 128;
  if (prefix === undefined) return { ...address, bits: width };
  // In an IPv4-mapped address, the 96 bits before the IPv4 address are part of the prefix.
  const offset = address.version === 4 && host.includes(":") ? 96 : 0;
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) - offset : -1;
  if (bits < 0 || bits > width) {
    throw fail(`the prefix must be an integer from ${offset} to ${offset + width}`);
  }
  const beyond = BigInt(width - bits);
  const network = { ...address, value: address.value >> beyond << beyond, bits };
  if (network.value !== address.value) {
    throw fail(
      `its address goes beyond its prefix; write "${addressText(network)}/${bits}" for the ` +
        `network, or "${addressText(address)}" for the address`,
    );
  }
  return network;
}
