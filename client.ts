/**
 * Connecting: `connect()` makes one connection, `reconnect()` one after another. Run as a program,
 * this is the message client; `deno run --allow-net client.ts --help` tells how.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { type ConnectionSettings, resolveSettings } from "./connection/settings.ts";
import { ConnectError } from "./errors.ts";
import { checkDelay } from "./internal/check.ts";
import { reasonOf } from "./internal/reason.ts";
import { backoff, type RetryPolicy } from "./internal/retry.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";
import { carrierSettings } from "./session/carrier.ts";
import { resolveSessionOptions } from "./session/options.ts";
import {
  type Endpoint,
  formatEndpoint,
  framingOf,
  hasFraming,
  hasSessions,
  parseEndpoint,
  type TlsConnectOptions,
  type Transport,
} from "./transport.ts";
import { kindOf } from "./transport/kinds.ts";
import { parseProxy } from "./transport/proxy.ts";

export { backoff, type BackoffOptions, type Failure, type RetryPolicy } from "./internal/retry.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions<T = Uint8Array> extends ConnectionOptions<T> {
  /**
   * Time for finding the host, connecting to it and all handshakes, in milliseconds.
   *
   * @default 10_000
   */
  connectTimeout?: number;
  /** Whom to trust over `tls:` and `wss:`, and who this end is. */
  tls?: TlsConnectOptions;
  /**
   * A proxy to go through over TCP and all that stands on it: `socks5://HOST:PORT` (RFC 1928) or
   * `http://HOST:PORT` (CONNECT, RFC 9110), with `USER:PASSWORD@` before the host where it wants that.
   * It looks up the names of hosts.
   *
   * @default none
   */
  proxy?: string;
  /**
   * What the server wants as the first message: sent before all others.
   *
   * @default none
   */
  token?: string;
  /**
   * Makes the connection a session, which outlives its sockets; with options, those of the session.
   * The server has to be told, too. `?session=1` in the endpoint does the same.
   *
   * @default false
   */
  session?: boolean | SessionOptions;
  /** Gives up connecting, and later aborts the connection, with the signal's reason. */
  signal?: AbortSignal;
}

/** Options of {@linkcode reconnect}. */
export interface ReconnectOptions<T = Uint8Array> extends Omit<ConnectOptions<T>, "session"> {
  /**
   * How long to wait before the next attempt, and when to give up.
   *
   * @default `backoff()`
   */
  retry?: RetryPolicy;
}

/** A connection that held this long, in milliseconds, was a success: the waiting starts anew. */
const STABLE_AFTER = 5_000;

/**
 * Connects to an endpoint.
 *
 * @throws {ConnectError} when that fails, or takes longer than `connectTimeout`.
 * @throws {TypeError} {RangeError} for a wrong endpoint or option.
 * @throws what `signal` was aborted with.
 *
 * @example A request and its answer, within a second
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0?framing=u32le", async (connection) => {
 *   for await (const message of connection) await connection.send(message);
 * });
 * const signal = AbortSignal.timeout(1_000);
 * await using connection = await connect(server.endpoints[0], { format: text(), signal });
 * await connection.send("hello");
 * assertEquals(await connection.receive(), "hello");
 * ```
 */
export function connect<T = Uint8Array>(
  endpoint: string,
  options: ConnectOptions<T> & { session: true | SessionOptions },
): Promise<Session<T>>;
/** Connects, as a plain connection unless the endpoint or the options ask for a session. */
export function connect<T = Uint8Array>(
  endpoint: string,
  options?: ConnectOptions<T>,
): Promise<Connection<T>>;
export async function connect<T = Uint8Array>(
  endpoint: string,
  options: ConnectOptions<T> = {},
): Promise<Connection<T>> {
  const { wanted, settings, session } = resolve(endpoint, options);
  if (session === undefined) return await connectOnce(wanted, settings, options);
  const carrier = carrierSettings(settings.framing, options);
  return await openSession<T>({
    dial: (signal) => connectOnce(wanted, carrier, options, signal),
    settings: { ...options, framing: "u32be" },
    name: formatEndpoint(wanted),
    session,
  });
}

/**
 * Connects again and again: an endless series of connections, each made when the one before has
 * ended and been waited for. Leaving the loop closes the last one. Two equal refusals of a
 * certificate or a password in a row are thrown, since a third attempt would not help.
 *
 * A connection that is lost just ends its iteration, so that the loop goes on to the next one;
 * `await connection.close()` tells why (`closed` alone waits until this end has closed as well). An
 * error that a retry cannot mend (a wrong option, a missing permission), a
 * peer that breaks the protocol, and the failure after which the policy gives up are thrown.
 *
 * @throws {ConnectError} the last failure, when the retry policy gives up.
 * @throws {TypeError} {RangeError} for a wrong endpoint or option.
 * @throws what `signal` was aborted with.
 *
 * @example Messages for as long as you care
 * ```ts
 * import { listen, reconnect } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", (connection) => {
 *   connection.send("news"); // and then it hangs up
 * });
 * let seen = 0;
 * for await (const connection of reconnect(server.endpoints[0])) {
 *   for await (const _message of connection) seen++;
 *   if (seen === 2) break;
 * }
 * assertEquals(seen, 2);
 * ```
 */
export async function* reconnect<T = Uint8Array>(
  endpoint: string,
  options: ReconnectOptions<T> = {},
): AsyncGenerator<Connection<T>, void, void> {
  const { retry = backoff(), signal } = options;
  const { wanted, settings, session } = resolve(endpoint, options);
  if (session !== undefined) {
    throw new TypeError(
      `Cannot use reconnect() together with "${endpoint}": a session connects again by itself`,
    );
  }
  let refusal: string | undefined;
  for (let attempt = 1;; attempt++) {
    let error: unknown;
    const startedAt = Date.now();
    try {
      const connection = await connectOnce(wanted, settings.withLossAsEnd(), options);
      try {
        yield connection;
      } finally {
        await connection.close();
      }
      error = (await connection.closed).error;
      if (Date.now() - startedAt >= STABLE_AFTER) attempt = 1;
    } catch (failure) {
      if (!isRetriable(failure)) throw failure;
      const again = refusalOf(failure);
      if (again !== undefined && again === refusal) throw failure;
      refusal = again;
      error = failure;
    }
    signal?.throwIfAborted();
    const wait = retry({ attempt, error });
    if (wait === undefined) {
      if (error === undefined) return;
      throw error;
    }
    await delay(wait, { signal });
  }
}

function resolve<T>(endpoint: string, options: ConnectOptions<T>) {
  const { connectTimeout = 10_000 } = options;
  checkDelay("connectTimeout", connectTimeout);
  const wanted = parseEndpoint(endpoint);
  if ("port" in wanted && wanted.port === 0) {
    throw new TypeError(`Cannot connect to "${endpoint}": port 0 is only for listening`);
  }
  if (options.proxy !== undefined) checkProxy(endpoint, wanted, options.proxy);
  const named = framingOf(wanted);
  const { framing = named } = options;
  const name = typeof framing === "string" ? framing : framing?.name;
  if (framing !== undefined && !hasFraming(wanted)) {
    throw new TypeError(
      `Cannot use framing ${name} together with "${endpoint}": it carries whole messages by itself`,
    );
  }
  if (named !== undefined && framing !== named) {
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

async function connectOnce<T>(
  wanted: Endpoint,
  settings: ConnectionSettings<T>,
  options: Pick<ConnectOptions, "connectTimeout" | "tls" | "proxy" | "token">,
  signal: AbortSignal | undefined = settings.signal,
): Promise<Connection<T>> {
  const { connectTimeout = 10_000, tls, proxy, token } = options;
  signal?.throwIfAborted();
  const name = formatEndpoint(wanted);
  const deadline = new AbortController();
  const timer = setTimeout(
    () =>
      deadline.abort(
        new ConnectError(`Cannot connect to ${name}: no answer within ${connectTimeout} ms`),
      ),
    connectTimeout,
  );
  const giveUp = signal === undefined
    ? deadline.signal
    : AbortSignal.any([signal, deadline.signal]);
  try {
    const transport = await orAborted(
      kindOf(wanted).then((kind) => kind.connect(wanted, { signal: giveUp, tls, proxy })),
      giveUp,
    );
    const connection = new Connection<T>(transport, settings, name);
    if (token !== undefined) connection.sendRaw(token);
    return connection;
  } catch (cause) {
    giveUp.throwIfAborted();
    if (cause instanceof TypeError || cause instanceof RangeError) throw cause;
    throw new ConnectError(`Cannot connect to ${name}: ${reasonOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Does not wait for a look-up that cannot be aborted; what comes of it later is closed. */
function orAborted(connecting: Promise<Transport>, signal: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      connecting.then((transport) => transport.close(), () => {});
    };
    signal.addEventListener("abort", abort, { once: true });
    connecting.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Whether trying again may help. */
function isRetriable(error: unknown): boolean {
  return error instanceof ConnectError && !(error.cause instanceof Deno.errors.NotCapable);
}

/** What a server or proxy said when it did not believe this end, or this end did not believe it. */
function refusalOf(error: unknown): string | undefined {
  const cause = error instanceof ConnectError ? error.cause : undefined;
  if (!(cause instanceof Error) || !["TlsError", "ProxyError"].includes(cause.name)) {
    return undefined;
  }
  return /certificate|credentials|password|fingerprint/i.test(cause.message)
    ? cause.message
    : undefined;
}

if (import.meta.main) {
  import("./cli/client.ts").then(({ main }) => main(Deno.args, connect));
}
