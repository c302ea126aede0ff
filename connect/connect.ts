/** `connect()`: one connection, or a session. */

import type { Connection } from "../connection.ts";
import type { Session, SessionOptions } from "../session.ts";
import { connectorOf } from "./connector.ts";
import type { ConnectOptions } from "./options.ts";

export { backoff, type BackoffOptions, type Failure, type RetryPolicy } from "../internal/retry.ts";
export type { ConnectOptions } from "./options.ts";
export type {
  CallTrace,
  Telemetry,
  Trace,
  TraceContext,
  TracedConnection,
} from "../internal/telemetry.ts";
export { reconnect, type ReconnectOptions } from "./reconnect.ts";

/**
 * Connects to an endpoint, or to one of several endpoints of the same service.
 *
 * Several endpoints are tried one after the other, each once and for `connectTimeout`, until one works.
 * The order is drawn by lot for each call, so that many clients with the same list spread over all
 * servers. An endpoint that fails is passed over, also if it can never work, as with a wrong certificate.
 * All have the same options, and what differs is said in each endpoint. There may be up to 64.
 *
 * A session of several endpoints lives on the server that opened it. When its carrier is lost, that
 * server is tried first, and then the others: those of its cluster carry it to its home, or say at once
 * that its home is gone. To go on elsewhere after that, see {@linkcode reconnect}.
 *
 * @throws {ConnectError} when that fails, or takes longer than `connectTimeout`. With several endpoints
 * it says what is wrong with each, and its `cause` is an `AggregateError`.
 * @throws {TypeError} {RangeError} for a wrong endpoint or option, also where it is one of several.
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
 *
 * @example Whichever server is there
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   for await (const message of connection) await connection.send(message);
 * });
 * await using connection = await connect(["tcp://127.0.0.1:9", server.endpoints[0]]);
 * assertEquals(connection.endpoint, server.endpoints[0]);
 * ```
 */
export function connect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options: ConnectOptions<T> & { session: true | SessionOptions },
): Promise<Session<T>>;
/**
 * Connects. The result is a plain connection, unless the endpoint or the options ask for a session.
 */
export function connect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options?: ConnectOptions<T>,
): Promise<Connection<T>>;
export async function connect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options: ConnectOptions<T> = {},
): Promise<Connection<T>> {
  return await connectorOf(endpoint, options).connect();
}
