/** Peers that come as a request to somebody else's HTTP server, and want to speak WebSocket. */

import { errors } from "../internal/runtime/errors.ts";
import { HeadError, RefusedError } from "../errors.ts";
import { isLoopback } from "../internal/address.ts";
import { textResponse } from "../internal/text_response.ts";
import { formatAddress, type Transport, type WebOptions } from "../transport.ts";
import { SocketTransport } from "./fetch/socket.ts";
import type { AcceptedPeer, OpenOptions } from "./kind.ts";
import { checkHandshake } from "./websocket/accept.ts";
import { hasToken } from "./websocket/head.ts";
import { parseOrigins } from "./websocket/origin.ts";
import { offeredIn, type Pick, pickBy } from "./websocket/subprotocol.ts";

/** The statuses of limits. All others are 503: later, it may be possible. */
const STATUSES: Readonly<Record<string, number>> = {
  denied: 403,
  maxConnectionsPerAddress: 429,
  maxConnectionRate: 429,
};

/** The answer to a request that asks for no WebSocket; undefined if it asks for one. */
export function answerToOthers({ headers }: Request): Response | undefined {
  if (hasToken(headers, "upgrade", "websocket")) return undefined;
  return textResponse(426, "Here is a WebSocket", { Upgrade: "websocket" });
}

/** A peer whose request has an answer in any case: `response` resolves to it. */
export class FetchPeer implements AcceptedPeer {
  readonly hostname: string;
  readonly #request: Request;
  readonly #remote: string;
  readonly #origins: ReadonlySet<string>;
  readonly #pick: Pick;
  readonly #answer = Promise.withResolvers<Response>();

  /**
   * Takes a request, and the address of the client.
   *
   * @throws {TypeError} for wrong options.
   */
  constructor(
    request: Request,
    hostname: string,
    port: number,
    { web = {}, takesSessions }: { readonly web?: WebOptions; readonly takesSessions?: boolean },
  ) {
    this.#request = request;
    this.hostname = hostname;
    this.#remote = hostname === "" ? "" : formatAddress(hostname, port);
    this.#origins = parseOrigins(web.origins ?? []);
    this.#pick = pickBy(web.subprotocols, takesSessions);
  }

  /** The answer to the request. Never rejects. */
  get response(): Promise<Response> {
    return this.#answer.promise;
  }

  async open({ signal, judge }: OpenOptions): Promise<Transport> {
    try {
      const { socket, protocol } = await this.#upgrade(judge);
      const transport = new SocketTransport(socket, this.#remote, protocol);
      await opened(socket, signal);
      return transport;
    } catch (error) {
      this.#answer.resolve(answerFor(error)); // If it has none.
      throw error;
    }
  }

  async #upgrade(
    judge: OpenOptions["judge"],
  ): Promise<{ socket: WebSocket; protocol: string | undefined }> {
    const { method, headers } = this.#request;
    const url = new URL(this.#request.url);
    const asked = { method, version: "1.1", url, fields: headers };
    checkHandshake(asked, { origins: this.#origins }, isLoopback(this.hostname));
    const subprotocols = offeredIn(headers);
    const below = { remote: this.#remote, abilities: {} };
    const refused = await judge?.({ url, headers, subprotocols }, below);
    if (refused !== undefined) throw refused;
    const protocol = this.#pick(subprotocols, this.#request);
    const { socket, response } = Deno.upgradeWebSocket(this.#request, { protocol });
    this.#answer.resolve(response);
    return { socket, protocol };
  }

  refuse(limit = "the server is closing"): void {
    const status = STATUSES[limit] ?? 503;
    this.#answer.resolve(textResponse(status, `Cannot accept WebSocket: ${limit}`));
  }
}

function answerFor(error: unknown): Response {
  if (error instanceof RefusedError) {
    return textResponse(error.status, error.message, error.headers);
  }
  if (error instanceof HeadError) {
    const { status = 400, fields, message } = error;
    return textResponse(status, `Cannot accept WebSocket: ${message}`, fields);
  }
  return textResponse(500, "The server failed to answer");
}

/** Waits until a socket can be used. */
async function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => {
    socket.close();
    reject(signal.reason);
  };
  const gone = () => reject(new errors.ConnectionReset("the peer left before the upgrade"));
  signal.addEventListener("abort", abort, { once: true });
  socket.addEventListener("open", () => resolve(), { once: true });
  socket.addEventListener("error", gone, { once: true });
  socket.addEventListener("close", gone, { once: true });
  try {
    if (signal.aborted) abort();
    await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
