/** `connect()`: one connection, or a session. */

import type { Connection } from "../connection.ts";
import { openSession, type Session, type SessionOptions } from "../session.ts";
import { carrierSettings } from "../session/internal.ts";
import { formatEndpoint } from "../transport.ts";
import { connectOnce } from "./attempt.ts";
import { type ConnectOptions, resolveConnect } from "./options.ts";

export { backoff, type BackoffOptions, type Failure, type RetryPolicy } from "../internal/retry.ts";
export type { ConnectOptions } from "./options.ts";
export { reconnect, type ReconnectOptions } from "./reconnect.ts";

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
/**
 * Connects. The result is a plain connection, unless the endpoint or the options ask for a session.
 */
export function connect<T = Uint8Array>(
  endpoint: string,
  options?: ConnectOptions<T>,
): Promise<Connection<T>>;
export async function connect<T = Uint8Array>(
  endpoint: string,
  options: ConnectOptions<T> = {},
): Promise<Connection<T>> {
  const { wanted, settings, session } = resolveConnect(endpoint, options);
  if (session === undefined) return await connectOnce(wanted, settings, options);
  const carrier = carrierSettings(settings.framing, options);
  return await openSession<T>({
    dial: (signal) => connectOnce(wanted, carrier, options, signal),
    settings: { ...options, framing: "u32be" },
    name: formatEndpoint(wanted),
    session,
  });
}
