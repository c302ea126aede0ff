/** How the client knows that a server refuses it, and what it tells its user. */

import { refusalInLine } from "../../chat/internal.ts";
import type { CloseInfo } from "../../connection.ts";
import { quoted } from "../../internal/text.ts";
import type { ProgramContext } from "../shared/program.ts";
import { readRefusal } from "../shared/refusal.ts";
import { hasSecret } from "../shared/secrets.ts";

/** A refusal by a server. */
export interface Refused {
  /** The reason as a code, for programs. */
  readonly code: string;
  /** The reason in words. */
  readonly text: string;
  /** The line that is shown at a terminal, if that is not the message itself. */
  readonly line?: string;
}

/** The close code of a WebSocket if the client did not give the token. */
const POLICY_VIOLATION = 1008;
/** Codes of refusals that will hold for each further attempt. */
const FOR_GOOD = ["token", "timeout", "banned"];

const decoder = new TextDecoder();

/**
 * The refusal in a server's first message, in any form that it may have. Undefined if the message
 * is none.
 */
export function refusalIn(message: Uint8Array): Refused | undefined {
  if (isSessionRefusal(message)) {
    const words = quoted(message.subarray(3));
    const text = `the server has sessions only, which --session asks for, and says${words}`;
    return { code: "session", text };
  }
  const line = decoder.decode(message);
  const refusal = readRefusal(line);
  if (refusal !== undefined) return cannotJoin(refusal.code, refusal.reason);
  return refusalInLine(line);
}

/**
 * The refusal in the close of a WebSocket that has sent nothing. Undefined if the close is none.
 */
export function refusalAtEnd({ code, reason = "" }: CloseInfo): Refused | undefined {
  return code === POLICY_VIOLATION ? cannotJoin("token", reason) : undefined;
}

/** Whether another attempt with the same options makes no sense. */
export function isForGood({ code }: Refused): boolean {
  return FOR_GOOD.includes(code);
}

/** Whether the token was missing or wrong. */
export function wantsToken({ code }: Refused): boolean {
  return code === "token" || code === "timeout";
}

/** What to tell the user: the reason, and what to do. */
export function explained(refused: Refused, context: ProgramContext): string {
  const isMissing = wantsToken(refused) && !hasSecret(context, "token");
  return refused.text + (isMissing ? "; give it with --token TOKEN" : "");
}

function cannotJoin(code: string, reason: string): Refused {
  const text = `Cannot join: ${reason}`;
  return { code, text, line: `* ${text}` };
}

/**
 * Whether a message is the frame by which a server of sessions refuses a peer that does not greet.
 * See docs/protocol.md.
 */
function isSessionRefusal(message: Uint8Array): boolean {
  return message.length > 3 && message[0] === 3 && message[1] === 0 &&
    quoted(message.subarray(3)) !== "";
}
