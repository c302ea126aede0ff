/** The states of a connection, from open to closed. */

import type { EndInfo } from "../codec.ts";
import type { LengthwiseError } from "../errors.ts";
import type { Deadline } from "../internal/time.ts";
import type { CloseOptions } from "./types.ts";

/**
 * The state of a connection, with its data:
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
 * | `starting TLS` | refused                 | yes, but nothing comes | the handshake is over                            |
 * | `peer ended`  | yes                        | the peer has ended     | nothing was sent for `halfOpenTimeout`           |
 * | `half-closed` | over: the peer is told     | yes, if no `peerEnd`   | the peer was told and has ended, too             |
 * | `cut off`     | failed                     | yes                    | the peer has ended, or `closeTimeout` has passed |
 * | `closing`     | over: the peer is told     | what comes is dropped  | as `half-closed`, or `closeTimeout` has passed   |
 * | `closed`      | no                         | what is queued already | for ever                                         |
 *
 * `abort()` or a failure makes any state `closed` at once. `close()` makes any state `closing`.
 */
export type State = Open | StartingTls | PeerEnded | HalfClosed | CutOff | Closing | Closed;

/** Data that a state may have. Each state's type says which data it always has. */
interface Held {
  /** Set when the peer has ended in order. */
  readonly peerEnd?: PeerEnd | undefined;
  /** Set when this end begins to tell the peer that it sends nothing more. */
  readonly farewell?: Farewell | undefined;
  /** Why sending failed. */
  readonly outputError?: LengthwiseError | undefined;
  /** Limits how long the state may last. */
  readonly deadline?: Deadline | undefined;
  /** The options of `close()`. */
  readonly options?: CloseOptions;
}

interface Open extends Held {
  readonly name: "open";
}

interface StartingTls extends Held {
  readonly name: "starting TLS";
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
  /** What the connection ended with: an error, or the reason of `abort()`. */
  readonly reason: unknown;
}

/** The peer has ended in order. */
export interface PeerEnd {
  /** What the peer said about its end. */
  readonly info: EndInfo | undefined;
}

/** The farewell: this end tells the peer that it sends nothing more. */
export interface Farewell {
  /** Resolves when the peer was told, or cannot be told any more. */
  said: Promise<void>;
  isSaid: boolean;
}

/** The first state. One object for all connections, because many of them are idle. */
export const OPEN: State = { name: "open" };

/** The state while TLS starts in the middle of the connection. */
export const STARTING_TLS: State = { name: "starting TLS" };
