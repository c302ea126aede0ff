/** Whom a chat does not let in, and how each of them is told. */

/** Why somebody is not let in. */
export type RefusalCode = "token" | "banned" | "full" | "closed";

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

/** How the refusal of somebody without the right token begins; the server's reason follows. */
const CANNOT_JOIN = "Cannot join: ";

/** What the chat has against a newcomer. */
export function refusal(code: keyof typeof REFUSALS): ChatRefusal & { readonly closeCode: number } {
  return { code, ...REFUSALS[code] };
}

/**
 * What a chat says to somebody whom the server itself turns away, for want of the right token.
 * Give it to `listen()` as `refusalMessage`.
 *
 * @example A chat that wants a token, and says so
 * ```ts
 * import { Chat, refusalLine } from "@lengthwise/lengthwise/chat";
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { assertMatch } from "@std/assert";
 *
 * using chat = new Chat();
 * await using server = await listen(
 *   "tcp://127.0.0.1:0",
 *   { format: text(), token: "open sesame", refusalMessage: refusalLine },
 *   (connection) => chat.serve(connection),
 * );
 * await using stranger = await connect(server.endpoints[0], { format: text() });
 * await stranger.send("hello");
 * assertMatch((await stranger.receive())!, /^\* Cannot join: /);
 * ```
 */
export function refusalLine({ reason }: { readonly reason: string }): string {
  return `* ${CANNOT_JOIN}${reason}`;
}

/**
 * Finds out whether a chat's first line refuses whoever has connected.
 *
 * This is the one place where words of the chat are recognised, next to where they are written. Who is
 * refused could not ask for JSON before; a transport other than WebSocket has no code for the end of
 * a connection; and the line for people must stay as it is, for those at telnet and for old clients.
 */
export function refusalInLine(line: string): ChatRefusal | undefined {
  if (!line.startsWith("* ")) return undefined;
  const text = line.slice(2);
  if (text.startsWith(CANNOT_JOIN)) return { code: "token", text };
  for (const code of ["banned", "full", "closed"] as const) {
    if (text === REFUSALS[code].text) return { code, text };
  }
}
