/** What a site is given. */

import type { NumberedHistory } from "../history/history.ts";
import type { ClusterEvent } from "./options.ts";
import type { Beat } from "./servers.ts";
import type { SharedLog } from "./shared_log.ts";
import type { Snapshot } from "./snapshot.ts";

/** How a site is now. */
export interface SiteStats {
  readonly isTogether: boolean;
  /** How many servers there are, with this one. */
  readonly servers: number;
  /** How many members all servers have. */
  readonly members: number;
  /** For how long the oldest deed waits, in milliseconds. */
  readonly lag: number;
  readonly waitingBytes: number;
  /** What each server said last of itself. */
  readonly beats: readonly Beat[];
  readonly repeated: number;
  readonly late: number;
  readonly foreign: number;
}

/** What a site has beside the chat. */
export interface SiteOptions {
  readonly log: SharedLog;
  readonly history: NumberedHistory;
  readonly server: string;
  readonly version: string;
  readonly maxWaitingBytes: number;
  readonly beatInterval: number;
  readonly entriesPerState: number;
  readonly endpoints: () => readonly string[];
  readonly onEvent: (event: ClusterEvent) => void;
  /**
   * Calls something again and again, so many milliseconds apart, and returns what ends that.
   *
   * @default `setInterval()`
   */
  readonly every?: (callback: () => void, interval: number) => () => void;
  /** Tells operators in a sentence how the cluster is. */
  readonly summaryOf: (stats: SiteStats) => string;
}

/** What a site begins with: a state as of an entry, and the last entry that it must read before it comes. */
export interface Start {
  readonly at: number;
  readonly target: number;
  readonly snapshot: Snapshot | undefined;
}
