/** Connects to a broker, in the way that all parts of this room do. */

import type { NatsConnection } from "@nats-io/nats-core";
import { ConnectError } from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";
import { coreLibrary } from "./libraries.ts";
import type { ResolvedNatsOptions } from "./options.ts";
import { OverConnection } from "./over_connection.ts";

/** How many questions may be unanswered before the broker is given up. */
const MAX_PINGS_OUT = 2;
/** How long to wait before each attempt to reach a broker again, in milliseconds, and how much more at random. */
const RETRY_DELAY = 100;
const RETRY_JITTER = 200;

/**
 * Connects to the first broker that answers, and again for as long as it is not closed.
 *
 * @throws {ConnectError} if none does, or it refuses who asks.
 */
export async function connectToNats(
  options: ResolvedNatsOptions,
  { noEcho }: { noEcho: boolean },
): Promise<NatsConnection> {
  const { servers, cluster, token, user, pass, tls, pingInterval, connectTimeout } = options;
  const { NatsConnectionImpl, setTransportFactory } = await coreLibrary();
  setTransportFactory({ factory: () => new OverConnection(tls) });
  try {
    return await NatsConnectionImpl.connect({
      servers,
      name: `lengthwise ${cluster}`,
      ...(token === undefined ? {} : { token }),
      ...(user === undefined ? {} : { user, pass }),
      noEcho,
      timeout: connectTimeout,
      pingInterval,
      maxPingOut: MAX_PINGS_OUT,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_DELAY,
      reconnectJitter: RETRY_JITTER,
      reconnectJitterTLS: RETRY_JITTER,
      // A broker that restarts may refuse for a moment whom it knows.
      ignoreAuthErrorAbort: true,
    });
  } catch (cause) {
    const reason = whyNot(cause, options);
    throw new ConnectError(`Cannot connect to NATS at ${servers.join(", ")}: ${reason}`, { cause });
  }
}

/** The client's own errors do not say what helps. */
function whyNot(cause: unknown, options: ResolvedNatsOptions): string {
  const { name } = cause as Error;
  if (name === "AuthorizationError") {
    const isKnown = options.token !== undefined || options.user !== undefined;
    const wanted = isKnown
      ? "this is not the token, or the user and password"
      : "it wants a token, or a user and a password";
    return `${reasonOf(cause)}, ${wanted}`;
  }
  return name === "TimeoutError"
    ? `nothing came that NATS says first, within ${options.connectTimeout} ms`
    : reasonOf(cause);
}
