/** Errors about a session's carriers and frames. */

import {
  ConnectionClosedError,
  ConnectionLostError,
  SessionProtocolError,
  SessionRefusedError,
} from "../errors.ts";
import { quoted } from "../internal/text.ts";
import { isRetriableCode, SessionCode } from "./codes.ts";

/** The error of a carrier that cannot be used any more. */
export function notWorking(state: string): ConnectionLostError {
  return new ConnectionLostError(`Cannot use carrier: ${state}`);
}

/** The error of a carrier that another one has replaced. */
export function replacedBy(remote: string): ConnectionClosedError {
  return new ConnectionClosedError(`Cannot use carrier: another one, of ${remote}, replaced it`);
}

/** The refusal of a carrier by a server. */
export function refusal(state: string, code: number): SessionProtocolError {
  return new SessionProtocolError(`Cannot take carrier in: ${state}`, code);
}

/** The error for a frame that is not allowed now. */
export function unexpected(state: string): SessionProtocolError {
  return new SessionProtocolError(
    `Cannot receive session frame: ${state}`,
    SessionCode.UNEXPECTED,
  );
}

/** The error of a client whose server answers HELLO with something that is no session frame. */
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

/**
 * The error of a client whose server answers HELLO with REFUSED. What another server than the session's own
 * says of it counts only if it knows that the own one has gone.
 */
export function refusedBy(code: number, text: string, isElsewhere: boolean): SessionRefusedError {
  return new SessionRefusedError(
    `Cannot open session: the server refused it: ${text}`,
    code,
    isElsewhere ? code !== SessionCode.GONE : isRetriableCode(code),
  );
}
