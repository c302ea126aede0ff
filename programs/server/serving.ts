/** What serves: the server of this process, or those of its workers. */

import type { Connection } from "../../connection.ts";
import { listen, type ListenOptions, type Server, type ServerStats } from "../../listen/listen.ts";
import type { TlsListenOptions } from "../../transport.ts";
import type { ProgramContext } from "../shared/program.ts";
import { observe, tracing } from "../shared/tracing.ts";
import { webPages } from "./joining.ts";
import { listenOptions, offersSessions } from "./listening.ts";
import type { Prepared } from "./preparing.ts";
import { reportClosed } from "./reporting.ts";
import type { Service } from "./service.ts";
import { makeService } from "./services.ts";

/** What events may wait with --hold-back, in bytes: those of connections that are not served yet. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** All that serves. */
export interface Serving extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoints: readonly string[];
  /** Counts as of now. */
  stats(): ServerStats | Promise<ServerStats>;
  /**
   * Presents other certificates from now on.
   *
   * @throws {TypeError} for certificates that cannot be used. The old ones stay then.
   */
  replaceCertificates(tls: TlsListenOptions): void | Promise<void>;
  /** Tells clients of sessions to go elsewhere. */
  drain(reason: string): void;
  /** Closes in order, within so many milliseconds, and ends the service. */
  close(grace: number): Promise<void>;
}

/** What a server is opened with. */
type Needed = Pick<Prepared, "endpoints" | "limits" | "tls" | "token" | "pageServers">;

/** What the options do not say. */
export type MoreOptions = Pick<ListenOptions<unknown>, "cluster" | "counts" | "reusePort">;

/** Listens, and serves all who come. */
export async function openServer(
  context: ProgramContext,
  { endpoints, limits, tls, token, pageServers }: Needed,
  service: Service<unknown>,
  more: MoreOptions = {},
): Promise<Server<unknown>> {
  const { options, host: { stdout } } = context;
  if (options.on("hold-back")) stdout.maxOfferedBytes = MAX_HELD_BYTES;
  let open: readonly string[] = [];
  const respond = service.hasPage
    ? await webPages(() => open, {
      servers: pageServers,
      // Servers that know nothing of each other could not say that one of them is gone.
      hasSessions: offersSessions(context, service) &&
        (pageServers.length === 0 || options.text("cluster") !== undefined),
    })
    : undefined;
  const server = await listen(
    endpoints,
    {
      ...listenOptions(context, service, limits),
      tls,
      token,
      cluster: service.cluster,
      web: {
        origins: options.list("origin"),
        subprotocols: options.list("subprotocol"),
        respond,
      },
      onListen: (endpoints) => {
        open = endpoints;
        service.listening?.(endpoints);
      },
      telemetry: await tracing(),
      ...more,
    },
    (connection) => handle(connection, service, context),
  );
  await observe(server);
  return server;
}

/** Serves in this process alone. */
export async function serveHere(context: ProgramContext, prepared: Prepared): Promise<Serving> {
  const { name, limits } = prepared;
  const service = await makeService(name, context, limits.chat) as Service<unknown>;
  const server = await openServer(context, prepared, service);
  return {
    endpoints: server.endpoints,
    stats: () => server.stats,
    replaceCertificates: (tls) => server.replaceCertificates(tls),
    drain: (reason) => server.drain(reason),
    async close(grace) {
      await server.close({ grace });
      await service.close?.();
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function handle(
  connection: Connection<unknown>,
  service: Service<unknown>,
  { options, reporter, host: { stdout } }: ProgramContext,
): Promise<void> {
  const { id, remote, endpoint } = connection;
  reporter.event({ event: "connected", id, remote, endpoint }, `${remote} connected`);
  connection.closed.then((info) => reportClosed(connection, info, reporter));
  if (options.on("hold-back")) await Promise.allSettled([stdout.room()]); // A server outlives whoever reads.
  await service.handle(connection);
}
