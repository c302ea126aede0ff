/** Checks the permission to use the network before Deno asks for it. */

import { ConnectError, ListenError } from "../../errors.ts";
import {
  type Endpoint,
  formatAddress,
  formatEndpoint,
  parseEndpoint,
  withFraming,
} from "../../transport.ts";
import { parseProxy } from "../../transport/internal.ts";

/**
 * Checks whether the program may listen on an endpoint.
 *
 * @throws {ListenError} if it may not. The error names the flags that it needs.
 * @throws {TypeError} for what is no endpoint.
 */
export async function requireListen(endpoint: string): Promise<void> {
  const wanted = parseEndpoint(endpoint);
  const problem = await problemWith(wanted);
  if (problem !== undefined) {
    throw new ListenError(`Cannot listen on ${endpointName(wanted)}: ${problem}`);
  }
}

/**
 * Checks whether the program may connect to an endpoint. If there is a proxy, checks only whether
 * it may connect to the proxy, which makes the other connection.
 *
 * @throws {ConnectError} if it may not. The error names the flags that it needs.
 * @throws {TypeError} for what is no endpoint or no proxy.
 */
export async function requireConnect(endpoint: string, proxy?: string): Promise<void> {
  const wanted = parseEndpoint(endpoint);
  const through = proxy === undefined ? undefined : parseProxy(proxy);
  const problem = through === undefined
    ? await problemWith(wanted)
    : await problemWithHost(through, ` for the proxy ${through.name}`);
  if (problem !== undefined) {
    throw new ConnectError(`Cannot connect to ${endpointName(wanted)}: ${problem}`);
  }
}

function endpointName(endpoint: Endpoint): string {
  return formatEndpoint(withFraming(endpoint, undefined));
}

/** What is missing for an endpoint. UDP looks by itself, as the addresses turn up. */
async function problemWith(endpoint: Endpoint): Promise<string | undefined> {
  switch (endpoint.transport) {
    case "unix":
      return await problemWithSocket(endpoint.path);
    case "memory":
    case "udp":
      return undefined;
    default:
      return await problemWithHost(endpoint);
  }
}

async function problemWithHost(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  purpose = "",
): Promise<string | undefined> {
  const [plain] = hostname.split("%"); // Deno's rules know no zones
  const host = formatAddress(plain, port);
  const { state } = await Deno.permissions.query({ name: "net", host });
  if (state === "denied") return "--deny-net forbids it";
  if (state === "prompt") return `no permission${purpose}; run with --allow-net=${host}`;
}

/** Deno wants all three for a socket's file, which it asks for one after the other. */
async function problemWithSocket(path: string): Promise<string | undefined> {
  if (path.startsWith("@")) return await problemWithAbstractSocket(path);
  const { resolve } = await import("node:path"); // It takes time to load.
  const wanted: Deno.PermissionDescriptor[] = [
    { name: "net", host: `unix:${resolve(path)}` },
    { name: "read", path },
    { name: "write", path },
  ];
  const states = await Promise.all(wanted.map((one) => Deno.permissions.query(one)));
  const denied = wanted.find((_, i) => states[i].state === "denied");
  if (denied !== undefined) return `--deny-${denied.name} forbids it`;
  if (states.every(({ state }) => state === "granted")) return undefined;
  return `no permission; run with --allow-net --allow-read=${path} --allow-write=${path}`;
}

/** It has no file: the network's leave is all. Deno's name for it begins with a zero byte. */
async function problemWithAbstractSocket(path: string): Promise<string | undefined> {
  const host = `unix:${path.replace("@", "\0")}`;
  const { state } = await Deno.permissions.query({ name: "net", host });
  if (state === "denied") return "--deny-net forbids it";
  if (state === "prompt") return "no permission; run with --allow-net";
}
