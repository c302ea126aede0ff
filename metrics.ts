/**
 * Metrics of a server, in the text formats that Prometheus and programs like it scrape.
 *
 * @module
 */

import type { Server } from "./listen/listen.ts";
import { type Exposition, exposition, MEDIA_TYPES } from "./metrics/exposition.ts";
import type { Family } from "./metrics/family.ts";
import { familiesOfRequests } from "./metrics/of_requests.ts";
import { preferred } from "./metrics/negotiation.ts";
import { familiesOfProcess } from "./metrics/of_process.ts";
import { familiesOf } from "./metrics/of_server.ts";

import type { RequestTotals } from "./request.ts";

export type { Exposition } from "./metrics/exposition.ts";
export type { Family, HistogramSample, Sample } from "./metrics/family.ts";

/** Options of {@linkcode metrics}. */
export interface MetricsOptions {
  /**
   * Counts of requests, which each `requests()` of the server was given as `totals`.
   *
   * @default none
   */
  readonly requests?: RequestTotals;
  /**
   * Whether memory and start of the process are among the metrics. Say false if another part of the
   * program tells them.
   *
   * @default true
   */
  readonly process?: boolean;
  /**
   * Gives further metrics of the program, each time that somebody asks.
   *
   * @default none
   */
  readonly more?: () => Iterable<Family>;
}

/** The metrics of a server. Each call takes them anew. */
export interface Metrics {
  /** The metrics as objects. */
  families(): Family[];
  /**
   * The metrics as text: `prometheus` for Prometheus' format 0.0.4, `openmetrics` for OpenMetrics
   * 1.0.0.
   *
   * @default "prometheus"
   */
  text(format?: Exposition): string;
  /** Answers an HTTP request with the metrics, in the format that it prefers. */
  respond(request: Request): Response;
}

/**
 * Gives the metrics of a server: `server.stats`, under the names and in the units that Prometheus
 * wants. docs/metrics.md tells what each one means. Nothing is counted for it that `server.stats`
 * does not count anyway.
 *
 * @example Metrics at an HTTP address of your own
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { metrics } from "@lengthwise/lengthwise/metrics";
 * import { assertMatch } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   for await (const message of connection) await connection.send(message);
 * });
 * const counts = metrics(server);
 * await using web = Deno.serve({ port: 0, onListen() {} }, (request) => counts.respond(request));
 *
 * await using connection = await connect(server.endpoints[0]);
 * await connection.send("hello");
 * await connection.receive();
 * const response = await fetch(`http://127.0.0.1:${web.addr.port}/metrics`);
 * assertMatch(await response.text(), /^lengthwise_connections 1$/m);
 * ```
 */
export function metrics(
  server: Pick<Server, "stats">,
  options: MetricsOptions = {},
): Metrics {
  const { requests, process: ofProcess = true, more } = options;
  const families = () => [
    ...familiesOf(server.stats),
    ...(requests === undefined ? [] : familiesOfRequests(requests)),
    ...(ofProcess ? familiesOfProcess() : []),
    ...(more?.() ?? []),
  ];
  const text = (format: Exposition = "prometheus") => exposition(families(), format);
  return {
    families,
    text,
    respond({ headers }) {
      const format = preferred(headers.get("accept"));
      return new Response(text(format), { headers: { "Content-Type": MEDIA_TYPES[format] } });
    },
  };
}
