/** The name and the room of a member, which it takes again on the next connection. */

import type { ChatEvent } from "../../../chat.ts";

/** The commands that set a member's name and room. */
const COMMAND = /^\/(nick|join)\s/i;
const NICK = /^\/nick\s+(\S+)\s*$/i;

/** What a member has asked for, and the key that proves that its name is its own. */
export class Seat {
  readonly #lines = new Map<string, string>();
  /** What takes the name over from the last connection. */
  #key: string | undefined;
  /** Whether the key was asked for, and its answer is not for the user. */
  #asks = false;

  /** Takes a line that the user sends. */
  typed(line: string): void {
    const command = COMMAND.exec(line)?.[1].toLowerCase();
    if (command !== undefined) this.#lines.set(command, line);
  }

  /** The lines that set name and room again. The name is taken from the last connection, with the key. */
  lines(): string[] {
    return Array.from(this.#lines.values(), (line) => {
      const [, name] = NICK.exec(line) ?? [];
      return name !== undefined && this.#key !== undefined ? `/claim ${name} ${this.#key}` : line;
    });
  }

  /** A new connection has begun. */
  begin(): void {
    this.#asks = false;
  }

  /** Asks for the key of a name that the member has just got. */
  askKey(send: (line: string) => void): void {
    this.#asks = true;
    send("/claim");
  }

  /** Takes an event. Returns true if it is the answer to a question for the key. */
  hear(event: ChatEvent): boolean {
    if (!this.#asks || event.type !== "notice") return false;
    // An older chat has no keys.
    const isOld = event.code === "no-such-command" && event.command === "claim";
    this.#asks = event.code !== "key" && !isOld;
    if (event.code === "key") this.#key = event.key;
    return !this.#asks;
  }
}
