/** What a server needs before it listens: everything that can be wrong before is told here. */

import type { TlsListenOptions } from "../../transport.ts";
import { type Limits, limitsFrom } from "../shared/limits.ts";
import { DEFAULT_ENDPOINT, UsageError } from "../shared/options.ts";
import { requireListen } from "../shared/permissions.ts";
import type { ProgramContext } from "../shared/program.ts";
import { secretFrom } from "../shared/secrets.ts";
import { type ServerTls, serverTls } from "../shared/secure.ts";
import { monitorEndpoint, requireMonitor } from "./monitor.ts";
import { pageServers } from "./page_servers.ts";
import {
  refuseClusterless,
  refuseOthers,
  refuseSharing,
  refuseUnusable,
  refuseWorkers,
} from "./refusing.ts";
import type { ServiceName } from "./services.ts";

/** What the options say, with the files that they name. */
export interface Prepared extends ServerTls {
  /** The service. */
  readonly name: ServiceName;
  /** The limits. */
  readonly limits: Limits;
  /** Where to listen. */
  readonly endpoints: readonly string[];
  /** Where the monitor is: one endpoint or none. */
  readonly watched: readonly string[];
  /** The other servers that the chat's page knows, as URLs. */
  readonly pageServers: readonly string[];
  /** What the first message of each must be. */
  readonly token: string | undefined;
  /** The certificates. */
  readonly tls: TlsListenOptions | undefined;
}

/** The name of the service. */
export function serviceOf({ options }: ProgramContext): ServiceName {
  return (options.text("service") ?? "chat") as ServiceName;
}

/**
 * Looks at options and permissions, and reads certificates and secrets.
 *
 * @throws {UsageError} for options that contradict each other, or that nothing would come of.
 * @throws {Error} for files that cannot be read, and where a permission is missing.
 */
export async function prepare(context: ProgramContext): Promise<Prepared> {
  const { options } = context;
  const name = serviceOf(context);
  const limits = limitsFrom(options, "server");
  refuseOthers(name, options, limits);
  refuseClusterless(options);
  if (options.on("hold-back") && !options.on("json")) {
    throw new UsageError("--hold-back is for the events of --json");
  }
  const endpoints = options.operands.length === 0 ? [DEFAULT_ENDPOINT] : options.operands;
  refuseUnusable(name, endpoints, options, limits);
  refuseSharing(name, endpoints, options);
  refuseWorkers(name, endpoints, options);
  const others = pageServers(endpoints, options);
  const watched = monitorEndpoint(options);
  for (const endpoint of endpoints) await requireListen(endpoint);
  await requireMonitor(watched);
  const tls = await serverTls(options, [...endpoints, ...watched]);
  const token = await secretFrom(context, "token");
  return { ...tls, name, limits, endpoints, watched, pageServers: others, token };
}
