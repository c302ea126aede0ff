/** Whether an endpoint can be reached: its name, each of its addresses, and the proxy. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { ConnectOptions } from "../../../connect/connect.ts";
import { deadlineOf } from "../../../internal/time.ts";
import { formatAddress, type HostEndpoint } from "../../../transport.ts";
import { dial, endpointReason, parseProxy } from "../../../transport/internal.ts";
import type { ToolContext } from "../context.ts";
import { type Chart, ms } from "./chart.ts";

/** So many addresses are tried. */
const MAX_ADDRESSES = 16;

/** How to reach it. */
export interface Road {
  readonly target: HostEndpoint;
  readonly options: ConnectOptions;
  /** How long each attempt may take, in milliseconds. */
  readonly timeout: number;
}

/** Tries each way to the endpoint. Resolves to whether one leads there. */
export async function reach(road: Road, chart: Chart, context: ToolContext): Promise<boolean> {
  const { target, options: { proxy } } = road;
  if (proxy !== undefined) return await reachThrough(proxy, road, chart, context);
  chart.saw("proxy", "none");
  const addresses = await resolveName(target.hostname, chart);
  if (addresses.length === 0) return false;
  const tried = addresses.slice(0, MAX_ADDRESSES);
  const attempts = await Promise.all(tried.map((hostname) => attempt(road, hostname)));
  for (const { hostname, time, reason } of attempts) {
    const name = formatAddress(hostname, target.port);
    chart.saw("connect", `${name}  ${reason ?? ms(time)}`, {
      address: hostname,
      ...(reason === undefined ? { connectTime: time } : { error: reason }),
    });
  }
  const open = attempts.filter(({ reason }) => reason === undefined);
  if (open.length > 0) {
    if (open.length < attempts.length) {
      chart.saw("connect", "not each address answers: some clients try those first, and wait");
    }
    return true;
  }
  tellUnreachable(target, attempts, chart);
  return false;
}

interface Attempt {
  readonly hostname: string;
  readonly time: number;
  /** Why it failed. */
  readonly reason?: string;
}

async function attempt(
  { target, timeout, options: { source, proxy } }: Road,
  hostname: string,
): Promise<Attempt> {
  const late = new AbortController();
  const deadline = deadlineOf(timeout, () => late.abort(new Error(noAnswer(timeout))));
  const startedAt = performance.now();
  const took = () => performance.now() - startedAt;
  const wanted = { hostname, port: target.port };
  try {
    (await dial(wanted, { signal: late.signal, source, proxy })).close();
    return { hostname, time: took() };
  } catch (error) {
    return { hostname, time: took(), reason: endpointReason(error, wanted, "connect") };
  } finally {
    deadline.clear();
  }
}

function noAnswer(timeout: number): string {
  return `no answer within ${timeout} ms`;
}

/** The addresses of a name, as the system gives them. Empty if there is none. */
async function resolveName(hostname: string, chart: Chart): Promise<string[]> {
  if (isIP(hostname.replace(/%.*/, "")) !== 0) {
    chart.saw("name", `${hostname} is an address`);
    return [hostname];
  }
  const { state } = await Deno.permissions.query({ name: "net" });
  if (state !== "granted") {
    chart.saw("name", `${hostname}: its addresses are looked at with --allow-net only`);
    return [hostname];
  }
  const startedAt = performance.now();
  try {
    const found = await lookup(hostname, { all: true, verbatim: true });
    const addresses = [...new Set(found.map(({ address }) => address))];
    const time = performance.now() - startedAt;
    chart.saw("name", `${hostname} has ${addresses.join(", ")} (${ms(time)})`, {
      addresses,
      lookupTime: time,
    });
    return addresses;
  } catch {
    chart.saw("name", `${hostname}: unknown host`, { error: "unknown host" });
    chart.wrong(
      `there is no address for the name ${hostname}`,
      "check the name and this machine's DNS (/etc/resolv.conf, /etc/hosts), or use the address",
    );
    return [];
  }
}

function tellUnreachable(
  { hostname, port }: HostEndpoint,
  attempts: readonly Attempt[],
  chart: Chart,
): void {
  const reasons = attempts.map(({ reason = "" }) => reason);
  const where = formatAddress(hostname, port);
  if (reasons.every((reason) => reason.includes("refused"))) {
    chart.wrong(
      `nothing listens at ${where}`,
      "start the server, or check the port; a server that says 127.0.0.1 is reached from its own " +
        "machine only: let it listen on 0.0.0.0 or [::]",
    );
  } else if (reasons.every((reason) => reason.startsWith("no answer"))) {
    chart.wrong(
      `${where} does not answer`,
      "the machine is off, or a firewall drops what is sent: check it at both ends, or --timeout",
    );
  } else {
    chart.wrong(`${where} cannot be reached: ${reasons[0]}`, "check the address and the route");
  }
}

/** Through a proxy: that looks up the name, and its own address is what can be tried. */
async function reachThrough(
  proxy: string,
  road: Road,
  chart: Chart,
  { options }: ToolContext,
): Promise<boolean> {
  const { name } = parseProxy(proxy);
  const from = options.text("proxy") === undefined ? "of the environment" : "of --proxy";
  chart.saw("proxy", `${name}, ${from}; it looks up the name`, { proxy: name });
  const { hostname } = road.target;
  const { time, reason } = await attempt(road, hostname);
  const where = formatAddress(hostname, road.target.port);
  chart.saw("connect", `${where}  ${reason ?? ms(time)}`, {
    ...(reason === undefined ? { connectTime: time } : { error: reason }),
  });
  if (reason === undefined) return true;
  chart.wrong(
    `there is no way through the proxy: ${reason}`,
    from === "of --proxy"
      ? "check --proxy, its user and password, and whether it may connect there"
      : `check the variables for proxies; NO_PROXY=${hostname} goes without one`,
  );
  return false;
}
