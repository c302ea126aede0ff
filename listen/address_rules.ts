/** Which peers may come in, by their addresses. Loads node:net: for servers that have such rules. */

import { BlockList } from "node:net";
import { type Address, addressText, parseAddress } from "../internal/address.ts";

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

/** The addresses that share the first `bits` of an address. */
interface Network extends Address {
  readonly bits: number;
}

/**
 * Gives what tells whether an address may not come in, or `undefined` without rules. It looks through
 * the lists, so that its time grows with them.
 *
 * @throws {TypeError} naming the first entry that is no address or network, and what would be right.
 *   A network whose address goes beyond its prefix, as in `10.0.0.1/8`, is one: it would let in
 *   16 million addresses where one may have been meant.
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

/** IPv4-mapped addresses are looked up as IPv4: to a list, `::/0` would be all of IPv4 too. */
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
  const list = new BlockList();
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
  // Of an IPv4-mapped address the 96 bits before the IPv4 address are part of the prefix.
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
