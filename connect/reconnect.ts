/** `reconnect()`: one connection after another. */

import type { Connection } from "../connection.ts";
import { ConnectError, ProxyError, TlsError } from "../errors.ts";
import { Attempts, backoff, pause, type RetryPolicy } from "../internal/retry.ts";
import { connectOnce } from "./attempt.ts";
import { type ConnectOptions, resolveConnect } from "./options.ts";

/** Options of {@linkcode reconnect}. */
export interface ReconnectOptions<T = Uint8Array> extends Omit<ConnectOptions<T>, "session"> {
  /**
   * How long to wait before the next attempt, and when to give up.
   *
   * @default `backoff()`
   */
  retry?: RetryPolicy;
}

/**
 * Connects again and again. This gives an endless series of connections. The next one is made when
 * the one before has ended and has been waited for. Leaving the loop closes the last one. If the
 * server or the proxy refuses a certificate or a password twice in a row with the same words, the
 * error is thrown, because a third attempt would not help.
 *
 * When a connection is lost, only the iteration over it ends, and the outer loop goes on to the
 * next connection. `await connection.close()` tells why it ended. (`closed` alone waits until this
 * end has closed too.)
 *
 * These errors are thrown: an error that a retry cannot cure (a wrong option, a missing
 * permission), a peer that breaks the protocol, and the failure after which the retry policy gives
 * up.
 *
 * @throws {ConnectError} The last failure, when the retry policy gives up.
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
  const { wanted, settings, session } = resolveConnect(endpoint, options);
  if (session !== undefined) {
    throw new TypeError(
      `Cannot use reconnect() together with "${endpoint}": a session connects again by itself`,
    );
  }
  const attempts = new Attempts(retry);
  let refusal: string | undefined;
  for (;;) {
    let error: unknown;
    try {
      const connection = await connectOnce(wanted, settings.withLossAsEnd(), options);
      attempts.made();
      try {
        yield connection;
      } finally {
        await connection.close();
      }
      error = (await connection.closed).error;
    } catch (failure) {
      if (!isRetriable(failure)) throw failure;
      const again = refusalOf(failure);
      if (again !== undefined && again === refusal) throw failure;
      refusal = again;
      error = failure;
    }
    signal?.throwIfAborted();
    const wait = attempts.failed(error);
    if (wait === undefined) {
      if (error === undefined) return;
      throw error;
    }
    await pause(wait, signal);
    signal?.throwIfAborted();
  }
}

/** Whether trying again may help. */
function isRetriable(error: unknown): boolean {
  return error instanceof ConnectError && !(error.cause instanceof Deno.errors.NotCapable);
}

/**
 * The words of a refusal of a certificate or a password, by either end. Undefined for any other
 * error.
 */
function refusalOf(error: unknown): string | undefined {
  const cause = error instanceof ConnectError ? error.cause : undefined;
  if (!(cause instanceof TlsError || cause instanceof ProxyError)) return undefined;
  return /certificate|credentials|password|fingerprint/i.test(cause.message)
    ? cause.message
    : undefined;
}
