/** The options and counts of a cluster of chats. */

import type { TlsConnectOptions } from "../../transport.ts";

/** Options of `chatCluster()`. Sizes are bytes, times are milliseconds. */
export interface ChatClusterOptions {
  /** The brokers, as `HOST:PORT` or `nats://HOST:PORT`. Others of the same cluster are learned from them. */
  servers: string | readonly string[];
  /**
   * The name of the cluster, from 1 to 32 letters, digits, `_` and `-`. Clusters with different names on
   * one broker have nothing to do with each other.
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
   * How much of the past the broker keeps. It is fixed when the first server of a cluster starts.
   *
   * @default 268_435_456
   */
  maxLogBytes?: number;
  /**
   * How much of what members of this server say and do may wait for the broker. Beyond this, it is not
   * said, and who wanted to say it is told.
   *
   * @default 8_388_608
   */
  maxWaitingBytes?: number;
  /**
   * How often this server tells the others that it is there. Who was not heard while seven of one's own
   * beats came back is gone.
   *
   * @default 1_000
   */
  beatInterval?: number;
  /**
   * How often the broker is asked whether it is there. It is given up when two questions are not
   * answered.
   *
   * @default 2_000
   */
  pingInterval?: number;
  /**
   * After how many entries of the log the whole state is written down, for servers that come later.
   *
   * @default 10_000
   */
  entriesPerState?: number;
  /** Where this server listens, for those who ask which servers there are. */
  endpoints?: () => readonly string[];
  /** The version of the program, for those who ask. */
  version?: string;
  /** Is told what happens to the cluster. */
  onEvent?: (event: ClusterEvent) => void;
}

/** Something that happens to a cluster. */
export type ClusterEvent =
  /** The other servers cannot be reached from now on, or are back. */
  | { readonly event: "apart" | "together"; readonly reason?: string }
  /** A server has come, or is gone. */
  | { readonly event: "server-came" | "server-left"; readonly server: string }
  /** This server was taken for gone, and has come again with its members. */
  | { readonly event: "came-again"; readonly members: number }
  /** Something went wrong. */
  | { readonly event: "error"; readonly error: unknown };

/** How a cluster is, seen from one server. */
export interface ChatClusterStats {
  /** The id of this server. */
  readonly server: string;
  /** Whether the others can be reached. */
  readonly isTogether: boolean;
  /** The broker, as `HOST:PORT`. */
  readonly broker: string;
  /** How many servers there are, with this one. */
  readonly servers: number;
  /** How many members all servers have. */
  readonly members: number;
  /** How long the broker took to keep the last entry, in milliseconds. */
  readonly roundTripTime: number | undefined;
  /** For how long the oldest entry waits that has not come back from the log, in milliseconds; or 0. */
  readonly lag: number;
  /** How many bytes wait for the broker. */
  readonly waitingBytes: number;
  /** How often something was missing that the broker had sent, and was read again. */
  readonly gaps: number;
  /** How often the broker was reached again. */
  readonly reconnects: number;
  /** Entries that came twice and were taken once. */
  readonly repeated: number;
  /** Entries of servers that were taken for gone. */
  readonly late: number;
  /** Messages on the subjects of this cluster that are not of its kind. */
  readonly foreign: number;
}

/** One server of a cluster, as it tells of itself once a second. */
export interface ClusterServer {
  /** Its id. */
  readonly server: string;
  /** Where it listens. */
  readonly endpoints: readonly string[];
  /** How many members are connected to it. */
  readonly members: number;
  /** The number of the last entry of the log that it has read. */
  readonly read: number;
  /** The version of its program. */
  readonly version: string;
}

/** How a cluster is, in a sentence. */
export function summaryOf(
  stats: Pick<
    ChatClusterStats,
    "servers" | "members" | "broker" | "roundTripTime" | "lag" | "gaps" | "reconnects"
  >,
): string {
  const { servers, members, broker, roundTripTime = 0, lag, gaps, reconnects } = stats;
  return `${servers} servers with ${members} members; broker ${broker}, ` +
    `${roundTripTime.toFixed(1)} ms, lag ${Math.round(lag)} ms, ${gaps} gaps, ` +
    `${reconnects} reconnects.`;
}
