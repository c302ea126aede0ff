/** Listening: `listen()` opens endpoints and gives a stream of connections. */

import { framing as framingByText, type FramingText } from "../codec.ts";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { resolveSettings } from "../connection/internal.ts";
import { LengthwiseError, ListenError } from "../errors.ts";
import { checkDelay, checkInteger } from "../internal/check.ts";
import { isMisuse } from "../internal/reason.ts";
import { checkToken } from "../internal/secret.ts";
import type { SessionOptions } from "../session.ts";
import { carrierSettings, resolveSessionOptions } from "../session/internal.ts";
import {
  formatEndpoint,
  framingOf,
  hasFraming,
  hasSessions,
  parseEndpoint,
  type TlsListenOptions,
  type Transport,
  type UdpListenOptions,
  type WebOptions,
  withFraming,
  withSession,
} from "../transport.ts";
import { endpointReason, kindOf } from "../transport/internal.ts";
import type { AddressRules } from "./address_rules.ts";
import type { OpenEndpoint } from "./entrance.ts";
import { Server } from "./server.ts";
import { TokenGate } from "./token_gate.ts";
import type { Handler, Refusal, TokenRefusal } from "./types.ts";

export { Server } from "./server.ts";
export type {
  BroadcastOptions,
  Handler,
  Refusal,
  ServerCloseOptions,
  ServerStats,
  TokenRefusal,
} from "./types.ts";
export type { AddressRules } from "./address_rules.ts";

/** The largest message that a server accepts by default, in bytes. */
const SERVER_MAX_MESSAGE_BYTES = 1024 * 1024;

/** Options of {@linkcode listen}. The limits of connections have the defaults of servers. */
export interface ListenOptions<T = Uint8Array>
  extends Omit<ConnectionOptions<T>, "signal">, AddressRules {
  /** Closes the server in order when aborted. */
  signal?: AbortSignal;
  /**
   * How many connections the system holds until they are accepted. The system may allow fewer.
   *
   * @default 4096
   */
  backlog?: number;
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
   * Time for the handshake of TLS or WebSocket, and the same time again for the token, in
   * milliseconds.
   *
   * @default 10_000
   */
  handshakeTimeout?: number;
  /**
   * The token that the first message of each connection must be, 1 to 1024 bytes. A peer that sends
   * something else is closed. The comparison takes constant time. A wrong token costs the address
   * as much as ten connections. The client of a session sends it on each carrier.
   *
   * A WebSocket's close says why, with code 1008. The protocol of sessions says why too. Other
   * peers only see the end of the connection, after the `refusalMessage` if there is one.
   *
   * @default none
   */
  token?: string;
  /**
   * Returns what is sent to a peer that did not give the token, before its connection is closed. It
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

/**
 * Listens on one or several endpoints, each with its own framing, and gives one stream of
 * connections. With a handler, each connection is handled in a task of its own, and closed in order
 * when the handler returns. Without a handler, iterate over the server.
 *
 * Resource handling: if you iterate over the server, the connections are yours, and you close them
 * (`await using`). The server owns its endpoints. With a handler it owns the connections too.
 * `close()`, `await using` and `signal` end all of them.
 *
 * Error handling: nothing that a peer does ends the accept loop. If there are no file descriptors
 * left, the loop waits and tries again. An error that a handler throws aborts its own connection
 * and reaches `onError`.
 *
 * @throws {ListenError} when an endpoint cannot be opened. Then none stays open.
 * @throws {TypeError} {RangeError} for wrong endpoints or options.
 *
 * @example A server that answers in capitals
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", { format: text() }, async (connection) => {
 *   for await (const message of connection) await connection.send(message.toUpperCase());
 * });
 * await using client = await connect(server.endpoints[0], { format: text() });
 * await client.send("hello");
 * assertEquals(await client.receive(), "HELLO");
 * ```
 */
export function listen<T = Uint8Array>(
  endpoint: string | readonly string[],
  options?: ListenOptions<T> | Handler<T>,
  handler?: Handler<T>,
): Promise<Server<T>> {
  return typeof options === "function"
    ? listenWith(endpoint, {}, options)
    : listenWith(endpoint, options ?? {}, handler);
}

async function listenWith<T>(
  endpoint: string | readonly string[],
  options: ListenOptions<T>,
  handler: Handler<T> | undefined,
): Promise<Server<T>> {
  const {
    backlog = 4096,
    maxConnections = 10_000,
    maxConnectionsPerAddress = 64,
    maxConnectionRate = 100,
    handshakeTimeout = 10_000,
    token,
  } = options;
  checkInteger("backlog", backlog, 1, 65_535);
  checkInteger("maxConnections", maxConnections, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxConnectionsPerAddress", maxConnectionsPerAddress, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxConnectionRate", maxConnectionRate, 1, Number.MAX_SAFE_INTEGER);
  checkDelay("handshakeTimeout", handshakeTimeout);
  const sessionOptions = typeof options.session === "object" ? options.session : {};
  const denied = options.allow === undefined && options.deny === undefined
    ? undefined
    // Loaded only if there are rules, because node:net takes time to load.
    : (await import("./address_rules.ts")).deniedBy(options);
  const gate = token === undefined ? undefined : new TokenGate(
    checkToken(token),
    handshakeTimeout,
    guarded(options.refusalMessage ?? (() => undefined)),
  );
  const endpoints = typeof endpoint === "string" ? [endpoint] : endpoint;
  if (endpoints.length === 0) {
    throw new TypeError("Cannot listen on no endpoint: give at least one");
  }
  options.signal?.throwIfAborted();

  const listeners: OpenEndpoint<T>[] = [];
  try {
    resolveSessionOptions(sessionOptions);
    for (const text of endpoints) listeners.push(await openEndpoint(text, options, backlog));
    options.signal?.throwIfAborted();
  } catch (error) {
    for (const { listener } of listeners) listener.close();
    throw error;
  }
  const { onError = reportOwnErrors, onRefuse = () => {}, onListen, signal, through } = options;
  const server = new Server<T>(listeners, handler, {
    maxConnections,
    maxConnectionsPerAddress,
    maxConnectionRate,
    denied,
    handshakeTimeout,
    gate,
    through,
    session: sessionOptions,
    onError: guarded(onError),
    onRefuse: guarded(onRefuse),
    signal,
  });
  try {
    onListen?.(server.endpoints);
  } catch (error) {
    server.close();
    throw error;
  }
  return server;
}

async function openEndpoint<T>(
  text: string,
  options: ListenOptions<T>,
  backlog: number,
): Promise<OpenEndpoint<T>> {
  const wanted = parseEndpoint(text);
  const named = framingOf(wanted);
  const { framing = named ?? "u32be" } = named === undefined && hasFraming(wanted) ? options : {};
  const hasSession = (hasSessions(wanted) ? wanted.session : undefined) ?? Boolean(options.session);
  if (hasSession && !hasSessions(wanted)) {
    throw new TypeError(`Cannot use endpoint "${text}" for sessions: UDP has no connections`);
  }
  const settings = resolveSettings<T>(
    { ...options, framing: hasSession ? "u32be" : framing, signal: undefined },
    SERVER_MAX_MESSAGE_BYTES,
  );
  const carrier = hasSession ? carrierSettings(framing, options) : undefined;
  const { tls, web, udp } = options;
  try {
    const kind = await kindOf(wanted);
    const listener = await kind.listen(wanted, { backlog, tls, web, udp });
    const shown = typeof framing === "string"
      ? framingByText(framing).name as FramingText
      : undefined;
    const name = formatEndpoint(withFraming(withSession(listener.endpoint, hasSession), shown));
    return { listener, settings, carrier, name };
  } catch (cause) {
    if (isMisuse(cause)) throw cause;
    const name = formatEndpoint(withFraming(wanted, undefined));
    const reason = endpointReason(cause, wanted, "listen");
    throw new ListenError(`Cannot listen on ${name}: ${reason}`, { cause });
  }
}

/** A callback that throws must not end the accept loop, but its error must be seen. */
function guarded<A extends unknown[], R>(
  callback: (...args: A) => R,
): (...args: A) => R | undefined {
  return (...args) => {
    try {
      return callback(...args);
    } catch (error) {
      reportOwnErrors(error);
    }
  };
}

/**
 * Prints the errors of handlers and callbacks, as `Deno.serve` does. Errors of peers are normal and
 * are not printed.
 */
function reportOwnErrors(error: unknown, connection?: { readonly remote: string }): void {
  if (error instanceof LengthwiseError) return;
  const of = connection === undefined ? "the server" : `the connection of ${connection.remote}`;
  console.error(`Error in a callback of ${of}:`, error);
}
