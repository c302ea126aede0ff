/**
 * Why there is no session, or none any more, in words that a person understands.
 *
 * @module
 */

import { SessionCode } from "./library.ts";

/** With this code the server closes if it wants a token, or another one (RFC 6455, section 7.4.1). */
export const WANTS_TOKEN = 1008;

const LOSS_WORDS: Readonly<Record<number, string>> = {
  [SessionCode.UNKNOWN]: "the server was started again, or did not wait any longer",
  [SessionCode.DENIED]: "it belongs to somebody else",
  [SessionCode.FULL]: "the server is full",
  [SessionCode.CLOSING]: "the server is closing",
  [SessionCode.TIMEOUT]: "the server did not answer in time",
  [SessionCode.EXPIRED]: "it was away for too long",
  [SessionCode.TOKEN]: "this token is wrong",
  [SessionCode.GONE]: "its server is gone",
};

/** Words of the library that stand before those of the server. */
const BEFORE = /^Cannot open session: the server refused it: /;

/** What an error of a session says; empty where it says nothing that would help a person. */
export function lossWords(error: unknown): string {
  const code = codeOf(error);
  if (code === SessionCode.UNAUTHORIZED) return (error as Error).message.replace(BEFORE, "");
  return code === undefined ? "" : LOSS_WORDS[code] ?? "the server ended it";
}

/** Whether the server wants a token, or another one. */
export function wantsToken(error: unknown): boolean {
  const code = codeOf(error);
  return code === SessionCode.TOKEN || code === SessionCode.UNAUTHORIZED;
}

/** Whether this is the loss of a session that was open. */
export function isLoss(error: unknown): boolean {
  return error instanceof Error && "unacknowledged" in error;
}

/** The number of a refusal, or of what a loss was caused by. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  return codeOf(error.cause) ?? (typeof code === "number" ? code : undefined);
}
