/** What a command line of the server must not say: what nothing would come of. */

import { isProxied, parseEndpoint } from "../../transport.ts";
import type { Limits } from "../shared/limits.ts";
import { type ParsedOptions, UsageError } from "../shared/options.ts";
import { OPTIONS } from "./options.ts";

/** An endpoint for sessions. */
const SESSION = /[?&]session=1(&|$)/;

/** Refuses options and limits that belong to other services. */
export function refuseOthers(service: string, options: ParsedOptions, limits: Limits): void {
  refuseOthersOptions(service, options);
  refuseOthersLimits(service, limits);
}

function refuseOthersOptions(service: string, options: ParsedOptions): void {
  for (const [name, { group }] of Object.entries(OPTIONS)) {
    const owner = group?.toLowerCase();
    if (!["chat", "files", "exec"].includes(owner ?? "") || owner === service) continue;
    if (options.text(name) !== undefined || options.on(name)) {
      throw new UsageError(`--${name} is for the service ${owner}, not for ${service}`);
    }
  }
}

/** Refuses what only goes with a cluster, or does not go with one. */
export function refuseClusterless(options: ParsedOptions): void {
  const isCluster = options.text("cluster") !== undefined;
  for (const name of ["cluster-name", "cluster-token-file"]) {
    if (!isCluster && options.text(name) !== undefined) {
      throw new UsageError(`--${name} is for a cluster: say --cluster nats://HOST:PORT as well`);
    }
  }
  if (isCluster && options.text("history") !== undefined) {
    throw new UsageError("--history and --cluster: a cluster keeps its history in the broker");
  }
}

function refuseOthersLimits(service: string, { chat }: Limits): void {
  if (chat !== undefined && service !== "chat") {
    const [name] = Object.keys(chat);
    throw new UsageError(`--limit chat.${name} is for the service chat, not for ${service}`);
  }
}

/** Refuses endpoints that nobody could connect to, and options that no endpoint uses. */
export function refuseUnusable(
  service: string,
  endpoints: readonly string[],
  options: ParsedOptions,
  { session, udp }: Limits,
): void {
  const parsed = endpoints.map(parseEndpoint);
  const kinds = parsed.map(({ transport }) => transport);
  const memory = endpoints[kinds.indexOf("memory")];
  if (memory !== undefined) {
    throw new UsageError(`"${memory}": memory: is only for within one program`);
  }
  const uses = { origin: ["ws", "wss"], subprotocol: ["ws", "wss"], "udp-idle": ["udp"] };
  if (udp !== undefined && !kinds.includes("udp")) {
    throw new UsageError("--limit udp.idleTimeout is for udp://, and no endpoint is one");
  }
  const isWeb = kinds.some((kind) => kind === "ws" || kind === "wss");
  refuseProxies(parsed.some(isProxied), isWeb, options);
  const areSessions = options.on("session") ||
    endpoints.every((endpoint) => SESSION.test(endpoint));
  const areOffered = service === "chat" && isWeb && !options.on("reuse-port");
  if (session !== undefined && !areSessions && !areOffered) {
    const [name] = Object.keys(session);
    throw new UsageError(`--limit session.${name} is for sessions: say --session as well`);
  }
  for (const [name, owners] of Object.entries(uses)) {
    if (options.text(name) === undefined || kinds.some((kind) => owners.includes(kind))) continue;
    const wanted = owners.map((kind) => `${kind}://`).join(" and ");
    throw new UsageError(`--${name} is for ${wanted}, and no endpoint is one`);
  }
}

/** The services whose peers never meet, and need nothing that another server has. */
const SEPARATE = ["echo", "print", "sink", "exec"];

/** Refuses servers that share a port, and send peers to where nobody knows them. */
export function refuseSharing(
  service: string,
  endpoints: readonly string[],
  options: ParsedOptions,
): void {
  if (!options.on("reuse-port")) return;
  const isCluster = options.text("cluster") !== undefined;
  if (!isCluster && !SEPARATE.includes(service)) {
    const way = service === "chat" ? ": say --cluster nats://HOST:PORT as well" : "";
    throw new UsageError(
      `--reuse-port would spread the peers of ${service} over servers that do not meet${way}`,
    );
  }
  if (hasSession(endpoints, options)) {
    throw new UsageError(
      "--reuse-port would bring sessions to servers that do not have them: leave out sessions",
    );
  }
  for (const endpoint of endpoints) {
    const { transport } = parseEndpoint(endpoint);
    if (["tcp", "tls", "ws", "wss"].includes(transport)) continue;
    throw new UsageError(`--reuse-port is for ports of TCP, and "${endpoint}" is none`);
  }
}

/** The services that workers can have together, or each for itself. */
const OF_WORKERS = ["chat", "broker", ...SEPARATE];

/** Refuses workers where they would not be one server. */
export function refuseWorkers(
  service: string,
  endpoints: readonly string[],
  options: ParsedOptions,
): void {
  if ((options.number("workers") ?? 1) === 1) return;
  if (!OF_WORKERS.includes(service)) {
    throw new UsageError(`--workers is not for the service ${service}, which is of one core`);
  }
  if (options.text("history") !== undefined) {
    throw new UsageError("--history and --workers: one process writes the file, with one core");
  }
  for (const endpoint of endpoints) {
    const { transport } = parseEndpoint(endpoint);
    if (["tcp", "tls", "ws", "wss"].includes(transport)) continue;
    throw new UsageError(`--workers is for ports of TCP, and "${endpoint}" is none`);
  }
}

function hasSession(endpoints: readonly string[], options: ParsedOptions): boolean {
  return options.on("session") || endpoints.some((endpoint) => SESSION.test(endpoint));
}

/** One of both without the other: nobody would come in, or nobody would be told apart. */
function refuseProxies(isProxied: boolean, isWeb: boolean, options: ParsedOptions): void {
  const isNamed = options.text("proxy-from") !== undefined;
  if (isProxied && !isNamed) {
    throw new UsageError(
      "?proxy=1 needs the addresses of the proxies, such as --proxy-from 10.0.0.0/8",
    );
  }
  if (isNamed && !isProxied && !isWeb) {
    throw new UsageError(
      "--proxy-from is for endpoints with ?proxy=1, ws:// and wss://, and no endpoint is one",
    );
  }
}
