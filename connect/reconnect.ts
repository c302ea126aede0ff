/** `reconnect()`: one connection after another. */

import { errors } from "../internal/runtime/errors.ts";
import type { Connection } from "../connection.ts";
import { ConnectError, SessionRefusedError } from "../errors.ts";
import { Attempts, backoff, pause, type RetryPolicy } from "../internal/retry.ts";
import type { Session, SessionOptions } from "../session.ts";
import { credentialsWords } from "./credentials.ts";
import { connectorOf } from "./connector.ts";
import { leaveWhenDrained } from "./moving.ts";
import type { ConnectOptions } from "./options.ts";
import { failuresOf } from "./roads.ts";

/** Options of {@linkcode reconnect}. */
export interface ReconnectOptions<T = Uint8Array> extends ConnectOptions<T> {
  /**
   * How long to wait before the next attempt, and when to give up. With several endpoints an attempt is
   * one round over all of them.
   *
   * @default `backoff()`
   */
  retry?: RetryPolicy;
}

/**
 * Connects again and again. This gives an endless series of connections. The next one is made when
 * the one before has ended and has been waited for. Leaving the loop closes the last one.
 *
 * When a connection is lost, only the iteration over it ends, and the outer loop goes on to the
 * next connection. `await connection.close()` tells why it ended. (`closed` alone waits until this
 * end has closed too.)
 *
 * **Several endpoints** are tried as {@linkcode connect} does, once each in each attempt. The one that
 * was used last comes last, so that a client whose server has gone is at another one after the first
 * wait, and the clients of a server do not all go to the same one.
 *
 * **Sessions** connect again by themselves, so the next one is opened only when the one before is over:
 * closed, or lost. The `error` of a lost one is a `SessionLostError`, which has the messages that were not
 * acknowledged. If a server asks its clients to go elsewhere, as before a restart, this end
 * of the session ends at once: `send()` then throws `ConnectionClosedError`, what was sent before
 * arrives, and what the server still sends is read until it ends, too. Then the next session is opened.
 *
 * These errors are thrown: an error that a retry cannot cure (a wrong option, a missing
 * permission), a peer that breaks the protocol, and the failure after which the retry policy gives
 * up. If the server or the proxy refuses a certificate, a password or a session twice in a row with the
 * same words, that error is thrown, because a third attempt would not help. Of several endpoints all must
 * fail like that.
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
 *
 * @example Sessions that move when their server drains
 * ```ts
 * import { listen, reconnect } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * const serve = () =>
 *   listen("tcp://127.0.0.1:0", { session: true }, async (connection) => {
 *     for await (const message of connection) await connection.send(message);
 *   });
 * await using one = await serve();
 * await using two = await serve();
 * const homes = new Set<string>();
 * for await (
 *   const session of reconnect([one.endpoints[0], two.endpoints[0]], { session: true })
 * ) {
 *   homes.add(session.endpoint);
 *   session.send("hello");
 *   if (homes.size === 2) break;
 *   (session.endpoint === one.endpoints[0] ? one : two).drain("a restart");
 *   for await (const _answer of session);
 * }
 * assertEquals(homes.size, 2);
 * ```
 */
export function reconnect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options: ReconnectOptions<T> & { session: true | SessionOptions },
): AsyncGenerator<Session<T>, void, void>;
/** Connects again and again. The results are plain connections, unless sessions are asked for. */
export function reconnect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options?: ReconnectOptions<T>,
): AsyncGenerator<Connection<T>, void, void>;
export async function* reconnect<T = Uint8Array>(
  endpoint: string | readonly string[],
  options: ReconnectOptions<T> = {},
): AsyncGenerator<Connection<T>, void, void> {
  const { retry = backoff(), signal } = options;
  const connector = connectorOf(endpoint, options);
  const attempts = new Attempts(retry);
  let refusal: string | undefined;
  for (;;) {
    let error: unknown;
    try {
      const connection = await connector.connect({ lossIsEnd: true });
      refusal = undefined;
      attempts.made();
      leaveWhenDrained(connection);
      try {
        yield connection;
      } finally {
        await connection.close();
      }
      error = (await connection.closed).error;
    } catch (failure) {
      const failures = failuresOf(failure);
      if (!failures.some(isRetriable)) throw failure;
      const again = refusalOf(failures);
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
  return error instanceof ConnectError && !(error.cause instanceof errors.NotCapable);
}

/**
 * The words with which all of them refused a certificate, a password or a session, in an order of their
 * own. Undefined if one failed otherwise.
 */
function refusalOf(failures: readonly unknown[]): string | undefined {
  const words = failures.map(wordsOf);
  return words.includes(undefined) ? undefined : words.sort().join("\n");
}

function wordsOf(error: unknown): string | undefined {
  if (error instanceof SessionRefusedError) return error.isRetriable ? undefined : error.message;
  return error instanceof ConnectError ? credentialsWords(error.cause) : undefined;
}
