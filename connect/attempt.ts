/** One attempt to connect. */

import { withoutLineEnd } from "../internal/text.ts";
import { Connection } from "../connection.ts";
import type { ConnectionSettings } from "../connection/internal.ts";
import { ConnectError } from "../errors.ts";
import { isMisuse } from "../internal/reason.ts";
import { deadlineOf } from "../internal/time.ts";
import { type Endpoint, formatEndpoint, type Transport } from "../transport.ts";
import { endpointReason, kindOf } from "../transport/internal.ts";
import type { ConnectOptions } from "./options.ts";

/**
 * Connects within `connectTimeout`, and sends the token if there is one.
 *
 * @throws {ConnectError} when that fails.
 * @throws {TypeError} {RangeError} for options that the transport cannot use.
 * @throws what `signal` was aborted with.
 */
export async function connectOnce<T>(
  wanted: Endpoint,
  settings: ConnectionSettings<T>,
  options: Pick<
    ConnectOptions,
    "connectTimeout" | "tls" | "proxy" | "source" | "token" | "web" | "through"
  >,
  signal: AbortSignal | undefined = settings.signal,
): Promise<Connection<T>> {
  const { connectTimeout = 10_000, tls, proxy, source, token, web, through } = options;
  signal?.throwIfAborted();
  const name = formatEndpoint(wanted);
  const aborter = new AbortController();
  const deadline = deadlineOf(connectTimeout, () => {
    const state = `no answer within ${connectTimeout} ms`;
    aborter.abort(new ConnectError(`Cannot connect to ${name}: ${state}`));
  });
  const giveUp = signal === undefined ? aborter.signal : AbortSignal.any([signal, aborter.signal]);
  try {
    const transport = await orAborted(
      kindOf(wanted).then((kind) =>
        kind.connect(wanted, { signal: giveUp, tls, proxy, source, web })
      ),
      giveUp,
    );
    const connection = new Connection<T>(through?.(transport) ?? transport, settings, name);
    if (token !== undefined) connection.sendRaw(withoutLineEnd(token));
    return connection;
  } catch (cause) {
    giveUp.throwIfAborted();
    if (isMisuse(cause)) throw cause;
    const reason = endpointReason(cause, wanted, "connect");
    throw new ConnectError(`Cannot connect to ${name}: ${reason}`, { cause });
  } finally {
    deadline.clear();
  }
}

/**
 * Rejects as soon as `signal` is aborted, because looking up a name cannot be aborted. If a
 * transport comes after that, it is closed.
 */
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
