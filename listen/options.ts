/** The options of `listen()`. */

import type { Cluster } from "../cluster.ts";
import type { Connection, ConnectionOptions } from "../connection.ts";
import type { Telemetry } from "../internal/telemetry.ts";
import type { SessionOptions } from "../session.ts";
import type { TlsListenOptions, Transport, UdpListenOptions, WebOptions } from "../transport.ts";
import type { AddressRules } from "./address_rules.ts";
import type { Authorize } from "./authorizer.ts";
import type { SharedCounts } from "./shared_counts.ts";
import type { Refusal, TokenRefusal } from "./types.ts";
/** Options of {@linkcode listen}. The limits of connections have the defaults of servers. */
export interface ListenOptions<T = Uint8Array, U = unknown>
  extends Omit<ConnectionOptions<T>, "signal">, AddressRules {
  /** Closes the server in order when aborted. */
  signal?: AbortSignal;
  /**
   * Addresses and networks of proxies, such as `10.0.0.0/8`, that are trusted to say whose connection
   * they pass on. At an endpoint with `?proxy=1` each connection must come from one of them, and begin
   * with a header of the PROXY protocol, version 1 or 2; then `connection.remote`, `allow`, `deny` and
   * all limits of addresses go by the client that it names. At `ws:` and `wss:` endpoints they may also
   * name it in the request, by `X-Forwarded-For` (`web.forwarded`). Nothing is trusted that is not named here,
   * loopback neither.
   *
   * @default none
   */
  proxies?: readonly string[];
  /**
   * How many connections the system holds until they are accepted. The system may allow fewer.
   *
   * @default 4096
   */
  backlog?: number;
  /**
   * Shares the ports of `tcp:`, `tls:`, `ws:` and `wss:` endpoints with other servers that do the same, in
   * processes of the same user, or in workers: Linux gives each new connection to one of them. So one port
   * uses several cores. Deno needs the flag `--unstable-net` for it. Limits are those of each server alone,
   * but for threads with `counts`; docs/cores.md tells what is to be known.
   *
   * @default false
   */
  reusePort?: boolean;
  /**
   * Counts the connections of this server together with those of servers in other threads that have the
   * same memory: `maxConnections` and `maxConnectionsPerAddress` hold for all of them as a whole then.
   *
   * @default the connections of this server alone
   */
  counts?: SharedCounts;
  /**
   * How many connections there may be at a time. Further ones are accepted, closed at once, and
   * counted as refused. The same limit holds for sessions, with those that have no carrier now.
   * There are two separate counts: live connections, and carriers that have not greeted. Each may
   * reach this limit.
   *
   * @default 10_000
   */
  maxConnections?: number;
  /**
   * How many connections there may be at a time from one remote address other than loopback, and
   * how many sessions it may have. It counts as `maxConnections` does. IPv6 addresses that share
   * their first 64 bits count as one. If there is one session too many, it replaces the oldest
   * session that has no carrier and over which nothing was received. Without such a session, the
   * new one is refused.
   *
   * @default 64
   */
  maxConnectionsPerAddress?: number;
  /**
   * How many connections per second may come from one remote address other than loopback, after
   * twice as many at once.
   *
   * @default 100
   */
  maxConnectionRate?: number;
  /**
   * Time for the handshake of TLS or WebSocket, the same time again for the token, and again for
   * `authorize`, in milliseconds.
   *
   * @default 10_000
   */
  handshakeTimeout?: number;
  /**
   * The token that the first message of each connection must be, 1 to 1024 bytes. With `true`, the
   * first message is a token of the peer's own, which `authorize` gets and judges; over WebSocket, a
   * request with `Authorization: Bearer …` brings it instead. A peer that sends
   * something else is closed. The comparison takes constant time. A wrong token costs the address
   * as much as ten connections. The client of a session sends it on each carrier.
   *
   * A WebSocket's close says why, with code 1008. The protocol of sessions says why too. Other
   * peers only see the end of the connection, after the `refusalMessage` if there is one.
   *
   * @default none
   */
  token?: string | true;
  /**
   * Tells who each peer is, before it becomes a connection: what it gives is `connection.user`. A
   * {@linkcode RefusedError}, given or thrown, turns the peer away: over WebSocket with an HTTP status
   * before the upgrade, in sessions by a frame, over other roads by the `refusalMessage` and the end.
   * It is asked when all that the handshake shows has come, after the token if there is one, and again
   * for each carrier with which a session goes on: that must be the same user, by its `id`, or by the
   * whole value if it has none.
   *
   * If it throws something else, the peer is refused with status 500, and `onError` gets the error. If
   * its answer takes longer than `handshakeTimeout`, the peer is refused with status 503. Nobody else
   * waits for it. A refusal costs the address as much as a wrong token, unless the status is 500 or
   * more.
   *
   * @default everybody may come in
   */
  authorize?: Authorize<U>;
  /**
   * Returns what is sent to a peer that did not give the token, or that `authorize` has refused, before
   * its connection is closed. It
   * is a message in the protocol of your service, because only the service knows what its peers
   * understand. Undefined sends nothing. It is not called for sessions, because they have a frame
   * for it.
   *
   * @default nothing
   */
  refusalMessage?: (refusal: TokenRefusal) => string | Uint8Array | undefined;
  /**
   * Makes all connections sessions, which outlive their sockets. An object gives the options of the
   * sessions. Clients have to use sessions too. `?session=1` makes only the connections of one
   * endpoint sessions.
   *
   * @default false
   */
  session?: boolean | SessionOptions;
  /**
   * Makes a session of each WebSocket whose client offers the subprotocol `lengthwise-session`, also at
   * endpoints where all others are plain connections. So clients of both kinds come to one endpoint. What
   * a client wants is known after its handshake: only then a plain one is turned away by the limits of
   * connections, with close code 1013. An object gives the options of the sessions, unless `session`
   * does.
   *
   * @default false
   */
  offeredSessions?: boolean | SessionOptions;
  /**
   * The cluster of which this server is a part: what `joinCluster()` of `./cluster` gives. A client that comes
   * for a session of another server of it is carried there. It leaves the cluster when it closes.
   *
   * @default none
   */
  cluster?: Cluster;
  /**
   * Wraps the transport of each connection before it is used, as `withFaults()` of `./testing` does.
   *
   * @default the transport as it is
   */
  through?: (transport: Transport) => Transport;
  /** The certificates of `tls:` and `wss:` endpoints. */
  tls?: TlsListenOptions;
  /** What `ws:` and `wss:` endpoints do with web pages. */
  web?: WebOptions;
  /** Bounds of `udp:` endpoints. */
  udp?: UdpListenOptions;
  /**
   * Traces connections: what `telemetry()` of `./telemetry` gives. Handlers run in the trace of their
   * connection. `requests()` has such an option too.
   *
   * @default nothing is traced
   */
  telemetry?: Telemetry;
  /** Called once all endpoints are open, with their real ports. */
  onListen?: (endpoints: readonly string[]) => void;
  /**
   * Called with an error that ended a connection's handler, or that occurred in accepting. By
   * default, errors of the handler itself are printed to the console, and errors of peers are
   * printed nowhere. `closed` of the connection has them.
   */
  onError?: (error: unknown, connection?: Connection<T>) => void;
  /** Called for each connection that is turned away. */
  onRefuse?: (refusal: Refusal) => void;
}
