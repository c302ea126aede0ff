/** What the user has said and the chat has not passed on yet, and perhaps never will. */

import type { ChatEvent } from "../../../chat.ts";
import { printable } from "../../../internal/text.ts";

/** How many lines are remembered. */
const MAX_LINES = 20;
/** After this time nobody waits for a line any more, in milliseconds. */
const MAX_AGE = 60_000;

/** A line that was said, with the text under which it comes back. */
interface Said {
  readonly line: string;
  readonly text: string;
  readonly at: number;
}

/** The user's own lines, until the chat says them to everyone. */
export class Unheard {
  #lines: Said[] = [];

  /** Takes a line that was sent. Commands other than `/me` are answered in other ways. */
  sent(line: string): void {
    const [, action, slash] = /^(?:\/me\s+(.*)|\/(\/.*))$/is.exec(line) ?? [];
    if (line === "" || line.startsWith("/") && action === undefined && slash === undefined) return;
    const text = printable((action ?? slash ?? line).trim());
    this.#lines.push({ line, text, at: performance.now() });
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  /** Takes an event. What the chat has passed on, and what was sent before that, is not awaited. */
  hear(event: ChatEvent, own: string | undefined): void {
    if (event.type !== "say" && event.type !== "me" || event.name !== own) return;
    const at = this.#lines.findIndex(({ text }) => text === event.text.trim());
    this.#lines.splice(0, at + 1);
  }

  /** The lines of which it is not known whether anybody has heard them. They are forgotten. */
  take(): string[] {
    const since = performance.now() - MAX_AGE;
    return this.#lines.splice(0).filter(({ at }) => at > since).map(({ line }) => line);
  }
}
