/** The options and counts of the backplane over NATS, as plain types. */

import { checkDelay, checkInteger } from "../internal/check.ts";
import type { TlsConnectOptions } from "../transport.ts";

/** Options of `nats()`. Sizes are bytes, times are milliseconds. */
export interface NatsOptions {
  /** The brokers, as `HOST:PORT` or `nats://HOST:PORT`. Others of the same cluster are learned from them. */
  servers: string | readonly string[];
  /**
   * The name of the cluster of hubs, from 1 to 32 letters, digits, `_` and `-`. Hubs with different
   * names on one broker never hear each other.
   *
   * @default "lengthwise"
   */
  cluster?: string;
  /** The token that the broker asks for. */
  token?: string;
  /** The user, with `pass`, that the broker asks for. */
  user?: string;
  /** The user's password. */
  pass?: string;
  /** Wants TLS of the broker, and says whom to trust. Without it, TLS is used if the broker wants it. */
  tls?: TlsConnectOptions;
  /**
   * How many bytes of messages may wait for the broker. What exceeds this is dropped, counted and told.
   *
   * @default 8_388_608
   */
  maxWaitingBytes?: number;
  /**
   * How often the broker is asked whether it is there. It is given up when two questions are not answered.
   *
   * @default 3_000
   */
  pingInterval?: number;
  /**
   * How long the first connection may take.
   *
   * @default 10_000
   */
  connectTimeout?: number;
}

/** All options given. */
export type ResolvedNatsOptions =
  & Required<Omit<NatsOptions, "token" | "user" | "pass" | "tls" | "servers">>
  & Pick<NatsOptions, "token" | "user" | "pass" | "tls">
  & { readonly servers: string[] };

/** What the backplane over NATS has done so far, and how it is. */
export interface NatsStats {
  /** Whether the broker is there. */
  readonly isConnected: boolean;
  /** The broker, as `HOST:PORT`. */
  readonly server: string;
  /** Messages that hubs of this process have published, to rooms and to each other. */
  readonly published: number;
  /** Messages that came from other processes, for rooms that somebody here is in, or for hubs here. */
  readonly received: number;
  /** Messages that came twice, and were delivered once. */
  readonly repeated: number;
  /** Messages that were not published, because they were too large or too much waited. */
  readonly dropped: number;
  /** How often messages of another process did not come. */
  readonly gaps: number;
  /** Messages on the subjects of this cluster that are not of its kind. */
  readonly foreign: number;
  /** How often the broker was reached again. */
  readonly reconnects: number;
  /** Bytes that are not known to have reached the broker. */
  readonly waitingBytes: number;
  /** Subscriptions at the broker. */
  readonly subscriptions: number;
  /** The last time from a question to the broker to its answer, in milliseconds. */
  readonly roundTripTime: number | undefined;
}

/**
 * The options with their defaults.
 *
 * @throws {TypeError} {RangeError} for one that cannot be used.
 */
export function resolveOptions(options: NatsOptions): ResolvedNatsOptions {
  const {
    servers,
    cluster = "lengthwise",
    maxWaitingBytes = 8 * 1024 * 1024,
    pingInterval = 3_000,
    connectTimeout = 10_000,
    ...access
  } = options;
  const list = typeof servers === "string" ? [servers] : [...servers];
  if (list.length === 0) throw new TypeError("Cannot use servers: there are none");
  if (!/^[\w-]{1,32}$/.test(cluster)) {
    throw new TypeError(
      `Cannot use cluster ${JSON.stringify(cluster)}: it must be 1 to 32 letters, digits, _ and -`,
    );
  }
  checkInteger("maxWaitingBytes", maxWaitingBytes, 1, Number.MAX_SAFE_INTEGER);
  checkDelay("pingInterval", pingInterval);
  checkDelay("connectTimeout", connectTimeout);
  return { ...access, servers: list, cluster, maxWaitingBytes, pingInterval, connectTimeout };
}
