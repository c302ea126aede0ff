/** Why connections end, as a list that does not grow. */

import type { CloseInfo } from "../connection.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  FrameTimeoutError,
  MessageTooLargeError,
  ProtocolError,
  SessionLostError,
  SlowConsumerError,
  TruncatedMessageError,
} from "../errors.ts";
import type { EndReason } from "./types.ts";

/** All reasons, in the order in which they are shown. */
export const END_REASONS: readonly EndReason[] = [
  "clean",
  "undelivered",
  "lost",
  "silent",
  "sessionLost",
  "slowConsumer",
  "tooLarge",
  "truncated",
  "frameTimeout",
  "protocol",
  "aborted",
  "other",
];

/** The reason for which a connection has ended. */
export function endReason({ clean, error }: CloseInfo): EndReason {
  if (clean) return "clean";
  if (error === undefined) return "undelivered";
  if (error instanceof SessionLostError) return "sessionLost";
  // What the network reports is the cause; without one, it was this end that did not wait any longer.
  if (error instanceof ConnectionLostError) return error.cause === undefined ? "silent" : "lost";
  if (error instanceof SlowConsumerError) return "slowConsumer";
  if (error instanceof MessageTooLargeError) return "tooLarge";
  if (error instanceof TruncatedMessageError) return "truncated";
  if (error instanceof FrameTimeoutError) return "frameTimeout";
  if (error instanceof ProtocolError) return "protocol";
  return error instanceof ConnectionClosedError ? "aborted" : "other";
}
