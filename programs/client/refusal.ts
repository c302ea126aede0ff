/** How the client knows that a server does not let it in, and what it tells its user. */

import { refusalInLine } from "../../chat/internal.ts";
import type { CloseInfo } from "../../connection.ts";
import { quoted } from "../../internal/text.ts";
import type { ParsedOptions } from "../shared/options.ts";
import { readRefusal } from "../shared/refusal.ts";
import { hasSecret } from "../shared/secrets.ts";

/** What a server said. */
export interface Refused {
  /** Why, for programs. */
  readonly code: string;
  /** Why, in words. */
  readonly text: string;
  /** The line that shows it at a terminal, if it is not the message itself. */
  readonly line?: string;
}

/** The close code of a WebSocket with which a server ends who did not give its token. */
const POLICY_VIOLATION = 1008;
/** Codes of refusals that hold whenever this client comes again. */
const FOR_GOOD = ["token", "timeout", "banned"];

const decoder = new TextDecoder();

/** Whether a server's first message says that it does not let this client in, in any form that it may have. */
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

/** Whether a WebSocket's end, before it said anything, says so. */
export function refusalAtEnd({ code, reason = "" }: CloseInfo): Refused | undefined {
  return code === POLICY_VIOLATION ? cannotJoin("token", reason) : undefined;
}

/** Whether it makes no sense to come again as this client is now. */
export function isForGood({ code }: Refused): boolean {
  return FOR_GOOD.includes(code);
}

/** Whether it is for want of the token. */
export function wantsToken({ code }: Refused): boolean {
  return code === "token" || code === "timeout";
}

/** What to tell the user, with what to do. */
export function explained(refused: Refused, options: ParsedOptions): string {
  const isMissing = wantsToken(refused) && !hasSecret(options, "token");
  return refused.text + (isMissing ? "; give it with --token TOKEN" : "");
}

function cannotJoin(code: string, reason: string): Refused {
  const text = `Cannot join: ${reason}`;
  return { code, text, line: `* ${text}` };
}

/** Whether it is the frame in which a server of sessions refuses who does not greet: docs/protocol.md. */
function isSessionRefusal(message: Uint8Array): boolean {
  return message.length > 3 && message[0] === 3 && message[1] === 0 &&
    quoted(message.subarray(3)) !== "";
}
