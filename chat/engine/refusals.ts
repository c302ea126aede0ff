/** Whom a chat does not let in, and how each of them is told. */

/** Why somebody is not let in. */
export type RefusalCode = "banned" | "full" | "closed";

/** What somebody who is not let in is told. */
export interface ChatRefusal {
  /** Why. */
  readonly code: RefusalCode;
  /** The words, for people. */
  readonly text: string;
}

/** What the chat itself refuses with: words, and the code of the WebSocket's close (RFC 6455, IANA). */
const REFUSALS = {
  banned: { text: "You are banned from this chat.", closeCode: 3003 }, // Forbidden
  full: { text: "The chat is full, try again later.", closeCode: 1013 }, // Try again later
  closed: { text: "The chat is closed.", closeCode: 1001 }, // Going away
} as const;

/** What the chat has against a newcomer. */
export function refusal(code: keyof typeof REFUSALS): ChatRefusal & { readonly closeCode: number } {
  return { code, ...REFUSALS[code] };
}
