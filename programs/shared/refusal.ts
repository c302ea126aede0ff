/** What services other than the chat send to a peer that they refuse: an object in JSON. */

/** Why a peer is refused. */
export interface TurnedAway {
  /** The reason for programs. It never changes. */
  readonly code: string;
  /** The reason in words, for people. */
  readonly reason: string;
}

/** A longer message is not a refusal and is not parsed. In UTF-16 code units. */
const MAX_LENGTH = 1024;

/** Writes a refusal as a message. */
export function writeRefusal({ code, reason }: TurnedAway): string {
  return JSON.stringify({ type: "refused", code, reason });
}

/** The refusal in a message. Undefined if the message is none. */
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
