/** Peers that come in by no endpoint of the server: requests of another server, and transports. */

import { hostnameOf } from "../internal/address.ts";
import type { Transport, WebOptions } from "../transport.ts";
import { type AcceptedPeer, fetchPeers } from "../transport/internal.ts";
import type { Road } from "./road.ts";

/** Who has sent a request, as `Deno.serve` and frameworks on it tell their handlers. */
export interface RequestInfo {
  /** The other end of the request's socket. */
  readonly remoteAddr?: {
    readonly transport?: string;
    readonly hostname?: string;
    readonly port?: number;
  };
}

/** Options of `server.accept()`. */
export interface AcceptOptions {
  /**
   * What becomes `connection.endpoint`.
   *
   * @default ""
   */
  endpoint?: string;
}

/** How guests come in. */
export interface GuestsOptions<T> {
  /** The settings of their connections. */
  readonly road: (name: string) => Road<T>;
  /** The settings of carriers that come from other servers. */
  readonly carriedRoad: (name: string) => Road<T>;
  /** What is asked of web pages. */
  readonly web?: WebOptions;
  /** Whether who offers the subprotocol of sessions gets one. */
  readonly takesSessions?: boolean;
  /** The client's address, as a request from a named proxy has it. */
  readonly clientOf?: (hostname: string, headers: Headers) => string;
}

/** A carrier that another server of the cluster has let in. */
export interface Carried {
  /** Where it came in. */
  readonly endpoint: string;
  /** Who its user is, as that server's program has said. */
  readonly user?: unknown;
}

/** Lets a peer in by the limits and questions of the server. */
type Admit<T> = (peer: AcceptedPeer, road: Road<T>) => void;

/** An address that nobody has told. All who have it count as one. */
const UNKNOWN = "unknown";

/** Takes guests in. */
export class Guests<T> {
  readonly #options: GuestsOptions<T>;
  readonly #admit: Admit<T>;

  constructor(options: GuestsOptions<T>, admit: Admit<T>) {
    this.#options = options;
    this.#admit = admit;
  }

  /** See `Server.upgrade()`. */
  async upgrade(request: Request, info: RequestInfo | undefined): Promise<Response> {
    const { answerToOthers, FetchPeer } = await fetchPeers();
    const answer = answerToOthers(request);
    if (answer !== undefined) return answer;
    const { road, clientOf } = this.#options;
    const { hostname, port } = addressOf(info);
    const client = clientOf?.(hostname, request.headers) ?? hostname;
    const peer = new FetchPeer(request, client, client === hostname ? port : 0, this.#options);
    const { protocol, host, pathname } = new URL(request.url);
    this.#admit(peer, road(`${protocol.replace("http", "ws")}//${host}${pathname}`));
    return await peer.response;
  }

  /** Takes in a carrier that another server of the cluster has let in. */
  carried(transport: Transport, { endpoint, user }: Carried): void {
    const peer = {
      hostname: hostnameOf(transport.remote) ?? "",
      vouched: { user },
      open: () => transport,
      refuse: () => transport.close(),
    };
    this.#admit(peer, this.#options.carriedRoad(endpoint));
  }

  /** See `Server.accept()`. */
  accept(transport: Transport, { endpoint = "" }: AcceptOptions): void {
    const peer = {
      hostname: hostnameOf(transport.remote) ?? "",
      open: () => transport,
      refuse: () => transport.close(),
    };
    this.#admit(peer, this.#options.road(endpoint));
  }
}

function addressOf(info: RequestInfo | undefined): { hostname: string; port: number } {
  const { remoteAddr } = info ?? {};
  if (remoteAddr === undefined) return { hostname: UNKNOWN, port: 0 };
  return { hostname: remoteAddr.hostname ?? "", port: remoteAddr.port ?? 0 };
}
