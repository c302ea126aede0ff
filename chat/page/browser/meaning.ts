/**
 * What the server means by its sentences, as far as the page does more than to show them.
 *
 * @module
 */

import type { EventOf } from "./events.ts";

/** What a notice is about. */
export type Meaning = "sent away" | "room refused" | "name refused" | "other";

/** What a notice means for the page. */
export function meaningOf({ text, error }: EventOf<"notice">): Meaning {
  if (error && /^(You were (kicked|banned) by |Disconnected: )/.test(text)) return "sent away";
  if (error && /^Cannot (join|enter)/.test(text)) return "room refused";
  if (/^Cannot (use|take) the name/.test(text)) return "name refused";
  return "other";
}

/** Whether the server's first words say that a token is needed, or that it was wrong. */
export function asksForToken(text: string): boolean {
  return text.startsWith("* Cannot join");
}

/** A line of the server as people read it. */
export function plainLine(text: string): string {
  return text.replace(/^\* /, "").trimEnd();
}
