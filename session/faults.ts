/** What goes wrong with a session's carriers and frames, as errors. */

import {
  ConnectionClosedError,
  ConnectionLostError,
  SessionProtocolError,
  SessionRefusedError,
} from "../errors.ts";
import { quoted } from "../internal/text.ts";
import { isRetriable, SessionCode } from "./codes.ts";

/** A carrier that is of no use any more. */
export function notWorking(state: string): ConnectionLostError {
  return new ConnectionLostError(`Cannot use carrier: ${state}`);
}

/** A carrier in whose place there is another one now. */
export function replacedBy(remote: string): ConnectionClosedError {
  return new ConnectionClosedError(`Cannot use carrier: another one, of ${remote}, replaced it`);
}

/** A frame that is not allowed now. */
export function unexpected(state: string): SessionProtocolError {
  return new SessionProtocolError(
    `Cannot receive session frame: ${state}`,
    SessionCode.UNEXPECTED,
  );
}

/** What a client is told of a server that answers HELLO with something else. */
export function noAnswer(
  { code, message }: SessionProtocolError,
  bytes: Uint8Array,
): SessionProtocolError {
  const words = quoted(bytes);
  const state = words === ""
    ? message.replace(/^Cannot receive session frame: /, "")
    : `its first message is${words}`;
  return new SessionProtocolError(
    `Cannot use carrier: the server does not speak of sessions, ${state}`,
    code,
  );
}

/** What a client is told of a server that answers HELLO with REFUSED. */
export function refusedBy(code: number, text: string): SessionRefusedError {
  return new SessionRefusedError(
    `Cannot open session: the server refused it: ${text}`,
    code,
    isRetriable(code),
  );
}
