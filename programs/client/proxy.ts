/** Chooses the proxy that the client uses. This file loads node:net, so only who may need it loads it. */

import { BlockList, isIP } from "node:net";
import { isLocalhost, isLoopback, isWildcard } from "../../internal/address.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../transport.ts";
import { parseProxy } from "../../transport/internal.ts";
import { variable as readVariable } from "../shared/given.ts";
import { messageOf } from "../shared/report.ts";
import { PROXY_VARIABLES } from "./proxy_variables.ts";

/**
 * The proxy for an endpoint: the one of `--proxy`, else the one that the environment names, as far
 * as its variables may be read without asking. The environment's is not used for this machine itself, and for
 * what `NO_PROXY` lists: hosts, domains with all below them, addresses, networks as `10.0.0.0/8`,
 * each with a port or without, and `*` for everything. Variables that are not understood are passed
 * over, of which `warn` is told once.
 *
 * @throws {TypeError} for a `--proxy` that is wrong, or that this endpoint cannot go through.
 */
export function proxyFor(
  endpoint: string | Endpoint,
  given?: string,
  variable: (name: string) => string | undefined = readVariable,
  warn: (message: string) => void = () => {},
): string | undefined {
  const wanted = typeof endpoint === "string" ? parseEndpoint(endpoint) : endpoint;
  const names = PROXY_VARIABLES[wanted.transport];
  if (given !== undefined) {
    const { name } = parseProxy(given);
    if (names !== undefined) return given;
    throw new TypeError(
      `Cannot use --proxy ${name} together with "${formatEndpoint(wanted)}": ` +
        `only ${Object.keys(PROXY_VARIABLES).join(", ")} go through a proxy`,
    );
  }
  if (names === undefined || !("hostname" in wanted)) return undefined;
  if (isNear(wanted.hostname) || !names.some((name) => variable(name))) return undefined;
  if (isExempt(wanted, variable("no_proxy") || variable("NO_PROXY") || "")) return undefined;
  return firstUnderstood(names.map((name) => [name, variable(name) || ""]), warn);
}

/** The first variable that names a proxy in a way that is understood. */
function firstUnderstood(
  variables: [name: string, value: string][],
  warn: (message: string) => void,
): string | undefined {
  const wrong: string[] = [];
  let problem = "";
  let found: string | undefined;
  for (const [name, value] of variables.filter(([_, value]) => value !== "")) {
    const proxy = value.includes("://") ? value : `http://${value}`;
    try {
      parseProxy(proxy);
      found = proxy;
      break;
    } catch (error) {
      problem ||= messageOf(error);
      wrong.push(name);
    }
  }
  if (wrong.length > 0) {
    const use = found === undefined ? "connecting without a proxy" : "using the next variable";
    warn(`${problem}; it is what the environment's ${wrong.join(" and ")} says: ${use}`);
  }
  return found;
}

/**
 * Whether a host is this machine, or an address with a zone, which has a meaning only on this
 * machine.
 */
function isNear(hostname: string): boolean {
  return hostname.includes("%") || isLocalhost(hostname.replace(/\.$/, "")) ||
    isLoopback(hostname) || isWildcard(hostname);
}

function isExempt({ hostname, port }: { hostname: string; port: number }, list: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [, bracketed, plain, onlyPort] =
      /^(?:\[([0-9a-f:.]+)\]|([^:]*|[0-9a-f:.]+(?:\/\d+)?))(?::(\d+))?$/.exec(entry) ?? [];
    const rule = bracketed ?? plain?.replace(/^\*?\.|\.$/g, "");
    if (!rule || (onlyPort !== undefined && Number(onlyPort) !== port)) return false;
    if (isIP(host) !== 0) return contains(addressesOf(rule), host);
    return host === rule || host.endsWith(`.${rule}`);
  });
}

/** The addresses of a rule such as `10.0.0.1` or `10.0.0.0/8`. Any other rule has none. */
function addressesOf(rule: string): BlockList {
  const list = new BlockList();
  const [address, bits] = rule.split("/");
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const prefix = Number(bits ?? most);
  if (family !== 0 && prefix <= most) list.addSubnet(address, prefix, `ipv${family as 4 | 6}`);
  return list;
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, `ipv${family as 4 | 6}`);
}
