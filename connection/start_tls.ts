/** TLS that starts in the middle of a connection. */

import { errors } from "../internal/runtime/errors.ts";
import { ConnectionLostError, ProtocolError } from "../errors.ts";
import { checkDelay } from "../internal/check.ts";
import { isMisuse, reasonOf } from "../internal/reason.ts";
import { deadlineOf } from "../internal/time.ts";
import { parseEndpoint, type StartTlsOptions, type Transport } from "../transport.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The type of a TLS record of the handshake, with which a client begins (RFC 8446, section 5.1). */
const HANDSHAKE = 22;

/** Starts TLS. See `Connection.startTls()`. */
export async function startTls(
  life: Lifecycle,
  transport: Transport,
  endpoint: string,
  options: StartTlsOptions,
): Promise<void> {
  const { role = "client", handshakeTimeout = 10_000 } = options;
  checkDelay("handshakeTimeout", handshakeTimeout);
  const { remote, abilities } = transport;
  if (abilities.startTls === undefined) {
    throw new TypeError(`Cannot start TLS with ${remote}: only tcp: and unix: connections can`);
  }
  life.startingTls();
  const { receiver, sender } = life;
  const ahead = receiver.unread;
  if (ahead.length > 0 && !(role === "server" && ahead[0] === HANDSHAKE)) {
    const error = new ProtocolError(
      `Cannot start TLS with ${remote}: ${ahead.length} bytes in plain text came behind the last message`,
    );
    life.abort(error);
    throw error;
  }
  const late = new AbortController();
  const deadline = deadlineOf(handshakeTimeout, () => {
    late.abort(new errors.TimedOut(`it was not done within ${handshakeTimeout} ms`));
  });
  const signal = AbortSignal.any([life.signal, late.signal]);
  try {
    await abilities.startTls({
      options,
      hostname: hostnameOf(endpoint),
      ahead: ahead.length === 0 ? [] : [ahead],
      flushed: sender.flushed(),
      signal,
    });
    life.signal.throwIfAborted();
    receiver.restart();
    life.tlsStarted();
  } catch (cause) {
    if (life.state === "closed") throw life.signal.reason;
    if (isMisuse(cause)) {
      life.tlsStarted();
      throw cause;
    }
    const error = new ConnectionLostError(`Cannot start TLS with ${remote}: ${reasonOf(cause)}`, {
      cause,
    });
    life.abort(error);
    throw error;
  } finally {
    deadline.clear();
  }
}

function hostnameOf(endpoint: string): string | undefined {
  try {
    const parsed = parseEndpoint(endpoint);
    return "hostname" in parsed ? parsed.hostname : undefined;
  } catch {
    return undefined; // A connection that a program has made itself may have any endpoint, or none.
  }
}
