/** What services other than the chat say to a peer that they do not let in: an object, for programs. */

/** Why a peer is not let in. */
export interface TurnedAway {
  /** The same always, for programs. */
  readonly code: string;
  /** The words, for people. */
  readonly reason: string;
}

/** More than any refusal has is not looked at, in UTF-16 units. */
const MAX_LENGTH = 1024;

/** Says it. */
export function writeRefusal({ code, reason }: TurnedAway): string {
  return JSON.stringify({ type: "refused", code, reason });
}

/** Finds out whether a message says it. */
export function readRefusal(message: string): TurnedAway | undefined {
  if (message.length > MAX_LENGTH || !message.startsWith("{")) return undefined;
  try {
    const { type, code, reason } = JSON.parse(message);
    const isOne = type === "refused" && typeof code === "string" && typeof reason === "string";
    return isOne ? { code, reason } : undefined;
  } catch {
    return undefined; // It is something else that begins with a brace.
  }
}
