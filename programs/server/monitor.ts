/**
 * The server's own HTTP address, for programs that watch it: Prometheus, load balancers, systemd,
 * Kubernetes. Its connections have limits as all others have, because it is one more server of ours:
 * one of WebSockets, which answers plain HTTP and takes no WebSocket.
 */

import { ListenError } from "../../errors.ts";
import { optionsResponse, textResponse } from "../../internal/text_response.ts";
import { listen, type Server, type ServerStats } from "../../listen/listen.ts";
import { formatEndpoint, parseEndpoint, type TlsListenOptions } from "../../transport.ts";
import { type ParsedOptions, UsageError } from "../shared/options.ts";
import { requireListen } from "../shared/permissions.ts";
import type { Reporter } from "../shared/report.ts";

/** How many may ask at a time. */
const MAX_CONNECTIONS = 100;
/** Time for a request to come and for its answer to leave, in milliseconds. */
const REQUEST_TIMEOUT = 5_000;
/** Time for the answers that are under way when the server ends, in milliseconds. */
const LAST_ANSWERS = 1_000;

/** Answers `/metrics`, `/health` and `/ready`. Opened before the server, and closed after it. */
export class Monitor implements AsyncDisposable {
  /** Where it is, such as `http://127.0.0.1:9464`. */
  readonly url: string;
  readonly #server: Server;
  readonly #answerer: Answerer;

  /** Made by {@linkcode openMonitor}. */
  constructor(server: Server, answerer: Answerer) {
    this.url = urlOf(server.endpoints[0]);
    this.#server = server;
    this.#answerer = answerer;
  }

  /** The server serves from now on: it is ready, and its counts are shown. */
  async watch(
    serving: { stats(): ServerStats | Promise<ServerStats> },
    reporter: Reporter,
  ): Promise<void> {
    const { metrics } = await import("../../metrics.ts"); // Most servers have no monitor.
    this.#answerer.metrics = async (request) =>
      metrics({ stats: await serving.stats() }).respond(request);
    this.#answerer.state = "ready";
    const url = `${this.url}/metrics`;
    reporter.event({ event: "metrics", url }, `metrics at ${url}`);
  }

  /** The server takes nobody in any more: it is alive, and not ready. */
  drain(): void {
    this.#answerer.state = "draining";
  }

  /** Presents other certificates from now on, if it is `https:`. */
  replaceCertificates(tls: TlsListenOptions): void {
    this.#server.replaceCertificates(tls);
  }

  /** Closes when the answers that are under way have left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close({ grace: LAST_ANSWERS });
  }
}

type Answer = (request: Request) => Response | Promise<Response>;

/** Answers by path. */
class Answerer {
  /** What the server is doing. */
  state: "starting" | "ready" | "draining" = "starting";
  /** Answers with the counts; there are none before the server listens. */
  metrics: Answer | undefined;

  respond(request: Request): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    const answer = this.#answerOf(pathname);
    if (answer === undefined) {
      return textResponse(404, "Here are /metrics, /health and /ready");
    }
    if (request.method === "OPTIONS") return optionsResponse();
    if (request.method !== "GET" && request.method !== "HEAD") {
      return textResponse(405, `${pathname} is only to be read`, { Allow: "GET, HEAD, OPTIONS" });
    }
    return answer(request);
  }

  #answerOf(pathname: string): Answer | undefined {
    switch (pathname) {
      case "/metrics":
        return (request) => this.metrics?.(request) ?? textResponse(503, this.state);
      case "/health":
        return () => textResponse(200, "ok");
      case "/ready":
        return () =>
          this.state === "ready" ? textResponse(200, "ready") : textResponse(503, this.state);
    }
  }
}

/**
 * The endpoint of the monitor as `listen()` takes it; none if there is to be no monitor. It is given as
 * `:PORT`, `HOST:PORT`, `http://HOST:PORT`, or `https://HOST:PORT` with the server's certificate.
 *
 * @throws {UsageError} for everything else.
 */
export function monitorEndpoint(options: ParsedOptions): string[] {
  const given = options.text("metrics");
  if (given === undefined) return [];
  const [, scheme = "http", address] = /^(?:(https?):\/\/)?([^/?#]*:\d+)\/?$/i.exec(given) ?? [];
  try {
    if (address === undefined) throw new TypeError("There is no port");
    const transport = scheme.toLowerCase() === "https" ? "wss" : "ws";
    return [formatEndpoint(parseEndpoint(`${transport}://${address}/`))];
  } catch {
    throw new UsageError(
      `--metrics "${given}": give :PORT, HOST:PORT, http://HOST:PORT or https://HOST:PORT`,
    );
  }
}

/**
 * Opens a monitor at the endpoint that {@linkcode monitorEndpoint} has made; none without one.
 *
 * @throws {ListenError} if it cannot be opened, as with a port in use.
 */
export async function openMonitor(
  [endpoint]: readonly string[],
  tls: TlsListenOptions | undefined,
): Promise<Monitor | undefined> {
  if (endpoint === undefined) return undefined;
  const answerer = new Answerer();
  const options = {
    tls,
    maxConnections: MAX_CONNECTIONS,
    maxConnectionsPerAddress: MAX_CONNECTIONS,
    handshakeTimeout: REQUEST_TIMEOUT,
    web: { respond: (request: Request) => answerer.respond(request) },
  };
  try {
    const server = await listen(endpoint, options, (connection) => {
      connection.close({ code: 1008, reason: "here are only /metrics, /health and /ready" });
    });
    return new Monitor(server, answerer);
  } catch (error) {
    throw inItsWords(error, endpoint);
  }
}

/**
 * Checks whether the program may open it.
 *
 * @throws {ListenError} if it may not.
 */
export async function requireMonitor([endpoint]: readonly string[]): Promise<void> {
  if (endpoint === undefined) return;
  try {
    await requireListen(endpoint);
  } catch (error) {
    throw inItsWords(error, endpoint);
  }
}

/** The error with the address as it was asked for. */
function inItsWords(error: unknown, endpoint: string): unknown {
  if (!(error instanceof ListenError)) return error;
  const message = error.message.replace(endpoint, `${urlOf(endpoint)} for --metrics`);
  return new ListenError(message, { cause: error });
}

/** What people and programs call it. */
function urlOf(endpoint: string): string {
  return endpoint.replace(/^ws/, "http").replace(/\/$/, "");
}
