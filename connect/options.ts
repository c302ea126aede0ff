/** The options of `connect()`. They are checked together with the endpoint. */

import { framing as framingByText } from "../codec.ts";
import type { ConnectionOptions } from "../connection.ts";
import { resolveSettings } from "../connection/internal.ts";
import { checkDelay } from "../internal/check.ts";
import type { SessionOptions } from "../session.ts";
import { resolveSessionOptions } from "../session/internal.ts";
import {
  type Endpoint,
  framingOf,
  hasFraming,
  hasSessions,
  parseEndpoint,
  type TlsConnectOptions,
  type Transport,
  type WebConnectOptions,
} from "../transport.ts";
import { parseProxy } from "../transport/internal.ts";

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
  if ("port" in wanted && wanted.port === 0) {
    throw new TypeError(`Cannot connect to "${endpoint}": port 0 is only for listening`);
  }
  if (options.proxy !== undefined) checkProxy(endpoint, wanted, options.proxy);
  const named = framingOf(wanted);
  const { framing = named } = options;
  const name = typeof framing === "string" ? framingByText(framing).name : framing?.name;
  if (framing !== undefined && !hasFraming(wanted)) {
    throw new TypeError(
      `Cannot use framing ${name} together with "${endpoint}": it carries whole messages by itself`,
    );
  }
  if (named !== undefined && name !== named) {
    throw new TypeError(
      `Cannot use framing ${name} together with "${endpoint}": the endpoint names another one`,
    );
  }
  const isSession = (hasSessions(wanted) ? wanted.session : undefined) ?? Boolean(options.session);
  if (isSession && !hasSessions(wanted)) {
    throw new TypeError(`Cannot use session together with "${endpoint}": UDP has no connections`);
  }
  const session = !isSession
    ? undefined
    : resolveSessionOptions(typeof options.session === "object" ? options.session : {});
  return { wanted, settings: resolveSettings({ ...options, framing }), session };
}

function checkProxy(endpoint: string, { transport }: Endpoint, proxy: string): void {
  const { name } = parseProxy(proxy);
  if (!["tcp", "tls", "ws", "wss"].includes(transport)) {
    throw new TypeError(
      `Cannot use proxy ${name} together with "${endpoint}": proxies are for TCP and what stands on it`,
    );
  }
}
