/** Listening: `listen()` opens endpoints and gives a stream of connections. */

import { framing as framingByText, type FramingText } from "../codec.ts";
import { LengthwiseError, ListenError } from "../errors.ts";
import { checkDelay, checkInteger } from "../internal/check.ts";
import { isMisuse } from "../internal/reason.ts";
import { checkToken } from "../internal/secret.ts";
import { resolveSessionOptions } from "../session/internal.ts";
import {
  formatEndpoint,
  framingOf,
  hasFraming,
  hasSessions,
  isProxied,
  parseEndpoint,
  withFraming,
  withSession,
} from "../transport.ts";
import { endpointReason, kindOf, type TransportListenOptions } from "../transport/internal.ts";
import { Authorizer } from "./authorizer.ts";
import type { ListenOptions } from "./options.ts";
import { clientOf } from "./forwarded.ts";
import { carriedRoad, guestRoad, type OpenEndpoint, roadOf, sessionOptionsOf } from "./road.ts";
import { Server } from "./server.ts";
import { TokenGate } from "./token_gate.ts";
import type { Handler } from "./types.ts";

export type {
  CallTrace,
  Telemetry,
  Trace,
  TraceContext,
  TracedConnection,
} from "../internal/telemetry.ts";
export type { AcceptOptions, RequestInfo } from "./guests.ts";
export type { ListenOptions } from "./options.ts";
export { SharedCounts } from "./shared_counts.ts";
export { Server } from "./server.ts";
export type {
  BroadcastOptions,
  DropCause,
  EndReason,
  Handler,
  Refusal,
  ServerCloseOptions,
  ServerStats,
  Times,
  TokenRefusal,
} from "./types.ts";
export type { AddressRules } from "./address_rules.ts";
export type { Authorize, Handshake } from "./authorizer.ts";

/** The endpoints of WebSockets, and those that have a port of TCP. */
const WEB: readonly string[] = ["ws", "wss"];
const SHARED: readonly string[] = ["tcp", "tls", ...WEB];

/**
 * Listens on one or several endpoints, each with its own framing, and gives one stream of
 * connections. With none, connections come by `server.upgrade()` and `server.accept()` only. With a handler, each connection is handled in a task of its own, and closed in order
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
 *
 * @example Who may come in, and who it is
 * ```ts
 * import { connect, listen, RefusedError } from "@lengthwise/lengthwise";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const users = new Map([["abc", { id: "ada", name: "Ada" }]]);
 * await using server = await listen("ws://127.0.0.1:0", {
 *   authorize: ({ cookies }) =>
 *     users.get(cookies.get("sid") ?? "") ?? new RefusedError("log in first", { status: 401 }),
 * }, async (connection) => {
 *   await connection.send(`Hello, ${connection.user.name}.`);
 * });
 *
 * await assertRejects(() => connect(server.endpoints[0]));
 * const web = { headers: { Cookie: "sid=abc" } };
 * await using client = await connect(server.endpoints[0], { web });
 * assertEquals(new TextDecoder().decode(await client.receive()), "Hello, Ada.");
 * ```
 */
export function listen<T = Uint8Array, U = unknown>(
  endpoint: string | readonly string[],
  options?: ListenOptions<T, U> | Handler<T, U>,
  handler?: Handler<T, U>,
): Promise<Server<T, U>> {
  return typeof options === "function"
    ? listenWith(endpoint, {}, options)
    : listenWith(endpoint, options ?? {}, handler);
}

async function listenWith<T, U>(
  endpoint: string | readonly string[],
  options: ListenOptions<T, U>,
  handler: Handler<T, U> | undefined,
): Promise<Server<T, U>> {
  const {
    backlog = 4096,
    maxConnections = 10_000,
    maxConnectionsPerAddress = 64,
    maxConnectionRate = 100,
    handshakeTimeout = 10_000,
    reusePort = false,
    token,
  } = options;
  checkInteger("backlog", backlog, 1, 65_535);
  checkInteger("maxConnections", maxConnections, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxConnectionsPerAddress", maxConnectionsPerAddress, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("maxConnectionRate", maxConnectionRate, 1, Number.MAX_SAFE_INTEGER);
  checkDelay("handshakeTimeout", handshakeTimeout);
  const sessionOptions = sessionOptionsOf(options);
  const denied = options.allow === undefined && options.deny === undefined
    ? undefined
    // Loaded only if there are rules, because node:net takes time to load.
    : (await import("./address_rules.ts")).deniedBy(options);
  const isProxy = options.proxies === undefined
    ? undefined
    : (await import("./address_rules.ts")).isNamedIn("proxies", options.proxies);
  if (token === true && options.authorize === undefined) {
    throw new TypeError("Cannot use token true without authorize: somebody must judge the tokens");
  }
  const field = options.web?.forwarded ?? "x-forwarded-for";
  const proxies = isProxy && {
    isProxy,
    clientOf: (hostname: string, headers: Headers) => clientOf(hostname, headers, field, isProxy),
  };
  const messageOf = guarded(options.refusalMessage ?? (() => undefined));
  const isRight = typeof token === "string" ? checkToken(token) : undefined;
  const gate = token === undefined ? undefined : new TokenGate(
    isRight,
    handshakeTimeout,
    messageOf,
  );
  const endpoints = typeof endpoint === "string" ? [endpoint] : endpoint;
  options.signal?.throwIfAborted();

  const listeners: OpenEndpoint<T>[] = [];
  try {
    resolveSessionOptions(sessionOptions);
    for (const text of endpoints) {
      listeners.push(await openEndpoint(text, options, { backlog, reusePort, ...proxies }));
    }
    options.signal?.throwIfAborted();
  } catch (error) {
    for (const { listener } of listeners) listener.close();
    throw error;
  }
  const { onError = reportOwnErrors, onRefuse = () => {}, onListen, signal, through } = options;
  const stopping = new AbortController();
  const authorizer = options.authorize && new Authorizer(options.authorize, {
    timeout: handshakeTimeout,
    stopping: stopping.signal,
    onError: guarded(onError),
  });
  const server = new Server<T, U>(listeners, handler, {
    maxConnections,
    maxConnectionsPerAddress,
    maxConnectionRate,
    denied,
    counts: options.counts,
    handshakeTimeout,
    gate,
    guests: {
      road: guestRoad(options),
      carriedRoad: carriedRoad(options),
      web: options.web,
      takesSessions: Boolean(options.session || options.offeredSessions),
      ...proxies,
    },
    authorizer,
    messageOf,
    stopping,
    through,
    session: sessionOptions,
    onError: guarded(onError),
    onRefuse: guarded(onRefuse),
    signal,
    cluster: options.cluster,
    telemetry: options.telemetry,
  });
  try {
    onListen?.(server.endpoints);
  } catch (error) {
    server.close();
    throw error;
  }
  return server;
}

async function openEndpoint<T, U>(
  text: string,
  options: ListenOptions<T, U>,
  resolved: Pick<TransportListenOptions, "backlog" | "reusePort" | "isProxy" | "clientOf">,
): Promise<OpenEndpoint<T>> {
  const wanted = parseEndpoint(text);
  if (isProxied(wanted) && resolved.isProxy === undefined) {
    throw new TypeError(
      `Cannot listen on "${text}": proxy=1 needs the addresses of the proxies, such as ` +
        `proxies: ["10.0.0.0/8"] (--proxy-from 10.0.0.0/8)`,
    );
  }
  if (resolved.reusePort && !SHARED.includes(wanted.transport)) {
    throw new TypeError(
      `Cannot use reusePort with endpoint "${text}": only ports of TCP can be shared`,
    );
  }
  const named = framingOf(wanted);
  const { framing = named ?? "u32be" } = named === undefined && hasFraming(wanted) ? options : {};
  const hasSession = (hasSessions(wanted) ? wanted.session : undefined) ?? Boolean(options.session);
  if (hasSession && !hasSessions(wanted)) {
    throw new TypeError(`Cannot use endpoint "${text}" for sessions: UDP has no connections`);
  }
  const takesOffers = WEB.includes(wanted.transport) && Boolean(options.offeredSessions);
  const road = roadOf(options, { framing, hasSession, takesOffers });
  const takesSessions = hasSession || takesOffers;
  const { tls, web, udp } = options;
  try {
    const kind = await kindOf(wanted);
    const listener = await kind.listen(wanted, { ...resolved, tls, web, udp, takesSessions });
    const shown = typeof framing === "string"
      ? framingByText(framing).name as FramingText
      : undefined;
    const name = formatEndpoint(withFraming(withSession(listener.endpoint, hasSession), shown));
    return { listener, ...road, name };
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
