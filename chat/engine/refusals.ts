/** Why a chat refuses a newcomer, and what it says then. */

/** Why a newcomer is refused. */
export type RefusalCode = "token" | "banned" | "full" | "closed";

/** What a refused newcomer is told. */
export interface ChatRefusal {
  /** The reason. */
  readonly code: RefusalCode;
  /** The words, for people. */
  readonly text: string;
}

/**
 * The words of each refusal by the chat itself, and the close code of a WebSocket (RFC 6455, IANA).
 */
const REFUSALS = {
  banned: { text: "You are banned from this chat.", closeCode: 3003 }, // Forbidden
  full: { text: "The chat is full, try again later.", closeCode: 1013 }, // Try again later
  closed: { text: "The chat is closed.", closeCode: 1001 }, // Going away
} as const;

/** The refusal of a peer without the right token begins like this. The server's reason follows. */
const CANNOT_JOIN = "Cannot join: ";

/** The refusal of a newcomer by the chat itself. */
export function refusal(code: keyof typeof REFUSALS): ChatRefusal & { readonly closeCode: number } {
  return { code, ...REFUSALS[code] };
}

/**
 * What a chat says to a peer that the server turns away because it did not give the right token.
 * Pass it to `listen()` as `refusalMessage`.
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
 * Finds out whether a chat's first line is a refusal.
 *
 * This is the only place where a program of ours reads the chat's words, and it is next to the
 * place that writes them. A refused peer had no chance to ask for JSON. Transports other than
 * WebSocket have no close code. The line for people must stay as it is, for people at telnet and
 * for old clients.
 */
export function refusalInLine(line: string): ChatRefusal | undefined {
  if (!line.startsWith("* ")) return undefined;
  const text = line.slice(2);
  if (text.startsWith(CANNOT_JOIN)) return { code: "token", text };
  for (const code of ["banned", "full", "closed"] as const) {
    if (text === REFUSALS[code].text) return { code, text };
  }
}
