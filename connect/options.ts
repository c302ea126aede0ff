/** The options of `connect()`. They are checked together with the endpoint. */

import type { ConnectionOptions } from "../connection.ts";
import { resolveSettings } from "../connection/internal.ts";
import { checkDelay } from "../internal/check.ts";
import type { Telemetry } from "../internal/telemetry.ts";
import type { SessionOptions } from "../session.ts";
import {
  parseEndpoint,
  type TlsConnectOptions,
  type Transport,
  type WebConnectOptions,
} from "../transport.ts";
import { checkRoad } from "./road.ts";
import { sessionFor } from "./road_session.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions<T = Uint8Array> extends ConnectionOptions<T> {
  /**
   * Time for finding the host, connecting to it and all handshakes, in milliseconds.
   *
   * @default 10_000
   */
  connectTimeout?: number;
  /** Which certificates to trust over `tls:` and `wss:`, and the certificate of this end. */
  tls?: TlsConnectOptions;
  /**
   * A proxy for TCP and for everything that runs over TCP: `socks5://HOST:PORT` (RFC 1928) or
   * `http://HOST:PORT` (CONNECT, RFC 9110). If the proxy wants a password, write `USER:PASSWORD@`
   * before the host. The proxy looks up the names of hosts.
   *
   * @default none
   */
  proxy?: string;
  /**
   * The address of this machine to connect from, of IPv4 or IPv6. Not for Unix sockets.
   *
   * @default the system chooses
   */
  source?: string;
  /** What to say in the handshake of a WebSocket: subprotocols and further fields. */
  web?: WebConnectOptions;
  /**
   * The token that the server wants as the first message. It is sent before all other messages,
   * without line ends at its end.
   *
   * @default none
   */
  token?: string;
  /**
   * Wraps the transport before the connection uses it, as `withFaults()` of `./testing` does. Of a
   * session it wraps each transport that carries it.
   *
   * @default the transport as it is
   */
  through?: (transport: Transport) => Transport;
  /**
   * Makes the connection a session, which outlives its sockets. An object gives the options of the
   * session. The server has to use sessions too. `?session=1` in the endpoint does the same.
   *
   * @default false
   */
  session?: boolean | SessionOptions;
  /**
   * Traces the connection: what `telemetry()` of `./telemetry` gives. `requests()` has such an option
   * too.
   *
   * @default nothing is traced
   */
  telemetry?: Telemetry;
  /**
   * Ends the attempt to connect when aborted, and later aborts the connection, with the signal's
   * reason.
   */
  signal?: AbortSignal;
}

/**
 * Checks an endpoint together with its options, and fills in the settings.
 *
 * @throws {TypeError} {RangeError} for a wrong endpoint or option, or for options that contradict
 * each other.
 */
export function resolveConnect<T>(endpoint: string, options: ConnectOptions<T>) {
  const { connectTimeout = 10_000 } = options;
  checkDelay("connectTimeout", connectTimeout);
  const wanted = parseEndpoint(endpoint);
  const framing = checkRoad(endpoint, wanted, options);
  const session = sessionFor(endpoint, wanted, framing, options);
  // The messages of a session are framed in its stream.
  const own = session === undefined ? framing : "u32be";
  return { wanted, settings: resolveSettings({ ...options, framing: own }), session };
}
