/**
 * OpenTelemetry: spans of connections, requests and handlers, and metrics.
 *
 * @module
 */

import type { Telemetry } from "./internal/telemetry.ts";
import type { Server } from "./listen/listen.ts";
import { metrics } from "./metrics.ts";
import { registered } from "./telemetry/api.ts";
import { durations, observe } from "./telemetry/instruments.ts";
import { Spans } from "./telemetry/spans.ts";

export type {
  CallTrace,
  Telemetry,
  Trace,
  TraceContext,
  TracedConnection,
} from "./internal/telemetry.ts";

const NAME = "lengthwise";

/**
 * Gives what traces connections and requests, for the option `telemetry` of `listen()`, `connect()` and
 * `requests()`. Undefined if nothing in this process traces: so nothing is paid then.
 *
 * Deno traces if it is started with `OTEL_DENO=true`; the variables of OpenTelemetry say where to. So
 * does any SDK for JavaScript that is registered globally. No package is needed for it here.
 *
 * - **Connections** have a span from their beginning to their end, with the reason and the counts. The
 *   handler of a server runs in it.
 * - **Requests** have a span until the answer has come, and carry its context to the peer
 *   (docs/requests.md), if the peer understands it.
 * - **Handlers** have a span that continues that of the caller, in any process and language.
 * - **Metrics**: `rpc.client.duration` and `rpc.server.duration`. {@linkcode observed} adds the counts of a
 *   server.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { requests } from "@lengthwise/lengthwise/request";
 * import { telemetry } from "@lengthwise/lengthwise/telemetry";
 * import { assertEquals } from "@std/assert";
 *
 * const traced = { telemetry: telemetry() };
 * await using server = await listen("tcp://127.0.0.1:0", traced, async (connection) => {
 *   await requests(connection, { double: (n: number) => 2 * n }, traced).closed;
 * });
 * const connection = await connect(server.endpoints[0], traced);
 * await using peer = requests(connection, {}, traced);
 * assertEquals(await peer.request("double", 21), 42);
 * ```
 */
export function telemetry(): Telemetry | undefined {
  const api = registered();
  if (api === undefined) return undefined;
  return new Spans(api, durations(api.metrics?.getMeter(NAME)));
}

/**
 * Gives the counts of a server to OpenTelemetry, under the names of docs/metrics.md with a point after
 * `lengthwise`, until the server has closed. Does nothing if nothing in this process measures.
 *
 * @example
 * ```ts
 * import { listen } from "@lengthwise/lengthwise";
 * import { observed } from "@lengthwise/lengthwise/telemetry";
 *
 * await using server = observed(await listen("tcp://127.0.0.1:0"));
 * ```
 */
export function observed<T>(server: Server<T>): Server<T> {
  const meter = registered()?.metrics?.getMeter(NAME);
  if (meter !== undefined) {
    const counts = metrics(server, { process: false });
    const end = observe(meter, () => counts.families());
    server.closed.then(end);
  }
  return server;
}
