/** Where a connection is on its way from open to closed. */

import type { EndInfo } from "../codec.ts";
import type { LengthwiseError } from "../errors.ts";
import type { Deadline } from "../internal/time.ts";
import type { CloseOptions } from "./types.ts";

/**
 * The state of a connection, with what belongs to it:
 *
 * ```
 *          ┌─ peer ended ─┬─ half-closed ─┐
 *   open ──┼─ half-closed ┤               ├── closing ── closed
 *          └─ cut off ────┴───────────────┘
 * ```
 *
 * | state         | sending                    | receiving              | it lasts until                                   |
 * | ------------- | -------------------------- | ---------------------- | ------------------------------------------------ |
 * | `open`        | yes                        | yes                    | either end ends                                  |
 * | `peer ended`  | yes                        | the peer has ended     | nothing was sent for `halfOpenTimeout`           |
 * | `half-closed` | over: the farewell is said | yes, if no `peerEnd`   | the farewell is said and the peer has ended      |
 * | `cut off`     | failed                     | yes                    | the peer has ended, or `closeTimeout` has passed |
 * | `closing`     | over: the farewell is said | what comes is dropped  | as `half-closed`, or `closeTimeout` has passed   |
 * | `closed`      | no                         | what is queued already | for ever                                         |
 *
 * Any state may become `closed` at once, by `abort()` or a failure; and `closing`, by `close()`.
 */
export type State = Open | PeerEnded | HalfClosed | CutOff | Closing | Closed;

/** What a state may hold. Each says what it always does. */
interface Held {
  /** Set once the peer has ended in order. */
  readonly peerEnd?: PeerEnd | undefined;
  /** Set once this end has begun to say that it sends nothing more. */
  readonly farewell?: Farewell | undefined;
  /** Why sending failed. */
  readonly outputError?: LengthwiseError | undefined;
  /** Runs while the state lasts, where it may not last for ever. */
  readonly deadline?: Deadline | undefined;
  /** What `close()` was given. */
  readonly options?: CloseOptions;
}

interface Open extends Held {
  readonly name: "open";
}

interface PeerEnded extends Held {
  readonly name: "peer ended";
  readonly peerEnd: PeerEnd;
  readonly deadline: Deadline;
}

interface HalfClosed extends Held {
  readonly name: "half-closed";
  readonly farewell: Farewell;
}

interface CutOff extends Held {
  readonly name: "cut off";
  readonly outputError: LengthwiseError;
  readonly deadline: Deadline;
}

interface Closing extends Held {
  readonly name: "closing";
  readonly farewell: Farewell;
  readonly deadline: Deadline;
  readonly options: CloseOptions;
}

interface Closed extends Held {
  readonly name: "closed";
  /** What it ended with. */
  readonly reason: unknown;
}

/** The peer has ended in order. */
export interface PeerEnd {
  /** What it said about that. */
  readonly info: EndInfo | undefined;
}

/** The word to the peer that this end sends nothing more. */
export interface Farewell {
  /** Resolves when it was said, or cannot be any more. */
  said: Promise<void>;
  isSaid: boolean;
}

/** How a connection begins: one for all, since idle ones are many. */
export const OPEN: State = { name: "open" };
