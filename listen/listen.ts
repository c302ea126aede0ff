/** Listening: `listen()` opens endpoints and gives a stream of connections. */

import type { Connection, ConnectionOptions } from "../connection.ts";
import { resolveSettings } from "../connection/internal.ts";
import { LengthwiseError, ListenError } from "../errors.ts";
import { checkDelay, checkInteger } from "../internal/check.ts";
import { isMisuse } from "../internal/reason.ts";
import type { SessionOptions } from "../session.ts";
import { carrierSettings, resolveSessionOptions } from "../session/internal.ts";
import {
  formatEndpoint,
  framingOf,
  hasFraming,
  hasSessions,
  parseEndpoint,
  type TlsListenOptions,
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

/** Options of {@linkcode listen}. Limits of the connections have their defaults for servers. */
export interface ListenOptions<T = Uint8Array>
  extends Omit<ConnectionOptions<T>, "signal">, AddressRules {
  /** Closes the server, in order, when aborted. */
  signal?: AbortSignal;
  /**
   * Connections that the system holds until they are accepted. The system may allow fewer.
   *
   * @default 4096
   */
  backlog?: number;
  /**
   * Connections at a time; further ones are accepted and closed at once, and counted. Also sessions at
   * a time, those without a carrier included. Their carriers count once they have greeted; before
   * that there may be as many again.
   *
   * @default 10_000
   */
  maxConnections?: number;
  /**
   * Connections at a time from one remote address other than loopback, and sessions that it has
   * opened, as with `maxConnections`. IPv6 addresses that share their first 64 bits count as one. A
   * session too many takes the place of the oldest one without a carrier over which nothing was
   * received, if there is one.
   *
   * @default 64
   */
  maxConnectionsPerAddress?: number;
  /**
   * Connections per second from one remote address other than loopback, after twice as many at once.
   *
   * @default 100
   */
  maxConnectionRate?: number;
  /**
   * Time for a handshake of TLS or WebSocket, and then for the token, in milliseconds.
   *
   * @default 10_000
   */
  handshakeTimeout?: number;
  /**
   * What the first message of each connection must be, 1 to 1024 bytes; whoever says something else is
   * closed. Compared in constant time. A wrong one costs the address as much as ten connections. A
   * session's client says it on each carrier.
   *
   * The close of a WebSocket says why, with code 1008, and so does the protocol of sessions. Other
   * peers see the end of the connection, after the `refusalMessage` if there is one.
   *
   * @default none
   */
  token?: string;
  /**
   * What is said to a peer that did not give the token, before it is closed: a message in the protocol
   * of your service, which alone knows what its peers understand; undefined for nothing. Not called
   * for sessions, which have a frame for it.
   *
   * @default nothing
   */
  refusalMessage?: (refusal: TokenRefusal) => string | Uint8Array | undefined;
  /**
   * Makes all connections sessions, which outlive their sockets; with options, those of the sessions.
   * Clients have to be told, too. An endpoint alone is made so by `?session=1`.
   *
   * @default false
   */
  session?: boolean | SessionOptions;
  /** The certificates of `tls:` and `wss:` endpoints. */
  tls?: TlsListenOptions;
  /** What `ws:` and `wss:` endpoints do with web pages. */
  web?: WebOptions;
  /** Bounds of `udp:` endpoints. */
  udp?: UdpListenOptions;
  /** Called once all endpoints are open, with their real ports. */
  onListen?: (endpoints: readonly string[]) => void;
  /**
   * Called with what ended a connection's handler, or went wrong in accepting. By default errors of the handler itself go to the console, those of peers nowhere: `closed` has
   * them.
   */
  onError?: (error: unknown, connection?: Connection<T>) => void;
  /** Called for each connection that is turned away. */
  onRefuse?: (refusal: Refusal) => void;
}

/**
 * Listens on one or several endpoints, each with its own framing, and gives one stream of
 * connections. With a handler, each connection is handled in a task of its own, and closed in order
 * when the handler returns; without one, iterate over the server.
 *
 * Resource handling: whoever iterates owns the connections and closes them (`await using`). The
 * server owns the endpoints, and with a handler the connections; `close()`, `await using` and
 * `signal` end them all.
 *
 * Error handling: nothing that a peer does ends the accept loop; without file descriptors it waits
 * and tries again. An error that a handler throws aborts its own connection and reaches `onError`.
 *
 * @throws {ListenError} when an endpoint cannot be opened; none stays open then.
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
    // Not before there are rules: node:net, which they stand on, takes time to load.
    : (await import("./address_rules.ts")).deniedBy(options);
  const gate = token === undefined
    ? undefined
    // Not before it is needed: node:crypto, which it stands on, takes time to load.
    : new TokenGate(
      (await import("../internal/secret.ts")).checkToken(token),
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
  const { onError = reportOwnErrors, onRefuse = () => {}, onListen, signal } = options;
  const server = new Server<T>(listeners, handler, {
    maxConnections,
    maxConnectionsPerAddress,
    maxConnectionRate,
    denied,
    handshakeTimeout,
    gate,
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
    const shown = typeof framing === "string" ? framing : undefined;
    const name = formatEndpoint(withFraming(withSession(listener.endpoint, hasSession), shown));
    return { listener, settings, carrier, name };
  } catch (cause) {
    if (isMisuse(cause)) throw cause;
    const name = formatEndpoint(withFraming(wanted, undefined));
    const reason = endpointReason(cause, wanted, "listen");
    throw new ListenError(`Cannot listen on ${name}: ${reason}`, { cause });
  }
}

/** A callback that throws must not end the accept loop; but its mistake must be seen. */
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

/** A handler's own mistakes must be seen, as with `Deno.serve`; what peers do is no news. */
function reportOwnErrors(error: unknown, connection?: { readonly remote: string }): void {
  if (error instanceof LengthwiseError) return;
  const of = connection === undefined ? "the server" : `the connection of ${connection.remote}`;
  console.error(`Error in a callback of ${of}:`, error);
}
