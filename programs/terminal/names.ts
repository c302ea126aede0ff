/** The names in a chat, learnt from its events, and who calls whom. */

import type { ChatEvent, SaidEvent } from "../../chat.ts";

/**
 * How many names are remembered. If there are more, the name that was silent for the longest time
 * is forgotten.
 */
export const MAX_NAMES = 1000;

/** Whether an event calls the reader: no, when it was said, or now. */
export type Mention = "none" | "earlier" | "now";

/** The members of a chat, as far as its events tell. */
export class Names {
  #own: string | undefined;
  #ownWord: RegExp | undefined;
  readonly #others = new Set<string>();

  /** The reader's own name. Undefined until the chat has sent `welcome`. */
  get own(): string | undefined {
    return this.#own;
  }

  /** The names of the others, at most {@linkcode MAX_NAMES}. */
  get others(): ReadonlySet<string> {
    return this.#others;
  }

  /** Learns from an event. Returns whether someone calls the reader in it. */
  hear(event: ChatEvent): Mention {
    if (event.type === "welcome") this.#become(event.name);
    if (this.#own === undefined) return "none";
    this.#learn(event);
    if (event.type === "tell") return event.from === this.#own ? "none" : "now";
    return (event.type === "say" || event.type === "me") && this.isCalledIn(event) ? "now" : "none";
  }

  /** Whether someone else says the reader's name. */
  isCalledIn({ name, text }: SaidEvent): boolean {
    return name !== this.#own && this.#ownWord?.test(text) === true;
  }

  #learn(event: ChatEvent): void {
    switch (event.type) {
      case "say":
      case "join":
      case "away":
      case "silent":
      case "topic":
        return this.#meet(event.name);
      case "tell":
        return this.#meet(event.from);
      case "leave":
        return void this.#others.delete(event.name);
      case "nick":
        if (event.from === this.#own) return this.#become(event.to);
        this.#others.delete(event.from);
        return this.#meet(event.to);
      case "who":
        return event.members.slice(0, MAX_NAMES).forEach(({ name }) => this.#meet(name));
      case "history":
      case "found":
        return event.messages.forEach(({ type, name }) => type === "say" && this.#meet(name));
    }
  }

  #meet(other: string): void {
    this.#others.delete(other);
    if (other === this.#own) return;
    this.#others.add(other);
    if (this.#others.size > MAX_NAMES) this.#others.delete(this.#others.values().next().value!);
  }

  #become(own: string): void {
    this.#own = own;
    this.#others.delete(own);
    const word = String.raw`(?<![\p{L}\p{N}_-])${RegExp.escape(own)}(?![\p{L}\p{N}_-])`;
    this.#ownWord = new RegExp(word, "iu");
  }
}

/** The key by which names are compared. Case and width make no difference. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
