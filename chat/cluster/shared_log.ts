/** The log that a site writes and reads: in the broker, or in another thread. */

import type { LogOwner } from "../../nats/internal.ts";

export type { LogEntry, LogOwner } from "../../nats/internal.ts";

/** A state that was written down, as of the entry `at`. */
export interface SavedState {
  readonly at: number;
  readonly state: string;
}

/** A log that has one order for all who write it. */
export interface SharedLog {
  /** Whether it can be reached. */
  readonly isConnected: boolean;
  /** Whether it was said that the entry that is tried now is not kept. */
  readonly isRefused: boolean;
  /** Why that entry is not kept. */
  readonly problem: string | undefined;
  /** Whether it does not have any more what was read from it: then it cannot be gone on with. */
  readonly isCut?: boolean;
  /** Puts an entry into it, once, whatever happens; or gives up when `signal` is aborted. */
  append(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Hands the entries after a number to an owner, from now on. */
  read(after: number, owner: LogOwner): void;
  /** Tells all who use it something, which is not kept. */
  beat(bytes: Uint8Array): void;
  /** Writes down a state for those who come later, if it can keep one. */
  save?(saved: SavedState): Promise<void>;
}
