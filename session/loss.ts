/** The error for the program when a session does not end in order. */

import { ConnectionLostError, SessionLostError, SessionProtocolError } from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";
import type { Lost } from "./outcome.ts";

/** The text for the peer when a session ends for this end's own reasons. */
export const ABORTED = "the session was aborted";

/** The error of a session to `remote`, with the messages that were not acknowledged. */
export function lossOf(
  outcome: Lost,
  remote: string,
  messages: readonly Uint8Array[],
): SessionLostError {
  const { code, cause } = outcome;
  const message = `Cannot go on with session to ${remote}: ${stateOf(outcome)}`;
  return new SessionLostError(message, messages, { cause, code });
}

/** The end of the error's message. */
function stateOf({ state, cause }: Lost): string {
  if (cause instanceof SessionProtocolError) {
    return `the peer broke the protocol: ${reasonOf(cause)}`;
  }
  return cause instanceof ConnectionLostError && state === ABORTED ? reasonOf(cause) : state;
}
