/** The name and the room of a member, which it takes again on the next connection. */

import type { ChatEvent } from "../../../chat.ts";

/** The commands that set a member's name and room. */
const COMMAND = /^\/(nick|join)\s/i;

/** What a member has got, what it has asked for, and the key that proves that its name is its own. */
export class Seat {
  /** What the chat gave. What it refused is not asked for again. */
  #name: string | undefined;
  #room: string | undefined;
  /** The lines that it has not answered, by their command. */
  readonly #asked = new Map<string, string>();
  /** A name that was given in the place of one that somebody else had first. */
  #instead: string | undefined;
  /** What takes the name over from the last connection. */
  #key: string | undefined;
  /** Whether the key was asked for, and its answer is not for the user. */
  #asks = false;

  /** Takes a line that the user sends. */
  typed(line: string): void {
    const command = COMMAND.exec(line)?.[1].toLowerCase();
    if (command !== undefined) this.#asked.set(command, line);
  }

  /**
   * The lines that set name and room again, for who is welcomed in a room. The name is taken from the last
   * connection, with the key.
   */
  lines(room: string): string[] {
    const lines: string[] = [];
    if (this.#name !== undefined) {
      lines.push(
        this.#key === undefined ? `/nick ${this.#name}` : `/claim ${this.#name} ${this.#key}`,
      );
    }
    if (this.#room !== undefined && this.#room !== room) lines.push(`/join ${this.#room}`);
    return [...lines, ...this.#asked.values()];
  }

  /** A new connection has begun. */
  begin(): void {
    this.#asks = false;
  }

  /**
   * Takes an event, for a member of this name. Returns true if it is the answer to a question for the key,
   * which this asks by `send`.
   */
  hear(event: ChatEvent, own: string | undefined, send: (line: string) => void): boolean {
    if (event.type === "nick" && event.to === own) this.#isNamed(own, send);
    else if (event.type === "room") this.#isIn(event.name);
    if (event.type !== "notice") return false;
    if (event.code === "name-lost") this.#instead = event.name;
    if (this.#asks) {
      // An older chat has no keys.
      const isOld = event.code === "no-such-command" && event.command === "claim";
      this.#asks = event.code !== "key" && !isOld;
      if (event.code === "key") this.#key = event.key;
      if (!this.#asks) return true;
    }
    if (event.error) this.#asked.clear();
    return false;
  }

  #isNamed(name: string, send: (line: string) => void): void {
    if (name === this.#instead) return;
    this.#name = name;
    this.#asked.delete("nick");
    this.#key = undefined;
    this.#asks = true;
    send("/claim");
  }

  #isIn(room: string): void {
    this.#room = room;
    this.#asked.delete("join");
  }
}
