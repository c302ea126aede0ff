/** The answers to hubs that ask for the members of this one: few, and slowly. */

import { encodeMessage, type Entry, type PresenceMessage } from "./messages.ts";
import type { Own } from "./own.ts";

/** How long askers are collected, in milliseconds, and how long is waited between portions of parts. */
const DELAY = 20;
/** How many parts go at once. With parts of 64 KiB that are 12 MiB per second. */
const PARTS_AT_ONCE = 4;

/** An answer that is on its way. */
interface Answer {
  /** Who gets it; all, if several have asked. */
  readonly to: string | undefined;
  readonly number: number;
  readonly version: number;
  readonly parts: Iterator<Entry[]>;
  part: number;
  next: IteratorResult<Entry[]>;
}

/** Several hubs that ask at the same time get one answer. There is one answer at a time. */
export class Answers {
  /** When there is something to do. */
  at = Infinity;

  readonly #own: Own;
  readonly #send: (to: string | undefined, bytes: Uint8Array) => void;
  readonly #asking = new Set<string>();
  #answer: Answer | undefined;
  #number = 0;

  /** `send` sends to one hub, or to all. */
  constructor(own: Own, send: (to: string | undefined, bytes: Uint8Array) => void) {
    this.#own = own;
    this.#send = send;
  }

  /** A hub has asked. */
  ask(hub: string, now: number): void {
    this.#asking.add(hub);
    if (this.at === Infinity) this.at = now + DELAY;
  }

  /** Sends what is due. All changes before were sent. `head()` makes the head of each message. */
  wake(now: number, head: () => Pick<PresenceMessage, "hub" | "number">, hubs: number): void {
    if (now < this.at) return;
    const answer = this.#answer ??= this.#begin();
    for (let i = 0; i < PARTS_AT_ONCE && !answer.next.done; i++) {
      const members = answer.next.value;
      answer.next = answer.parts.next();
      this.#send(
        answer.to,
        encodeMessage({
          ...head(),
          kind: "state",
          version: answer.version,
          transfer: answer.number,
          part: answer.part++,
          isLast: answer.next.done === true,
          hubs,
          members,
        }),
      );
    }
    if (answer.next.done) this.#answer = undefined;
    this.at = this.#answer === undefined && this.#asking.size === 0 ? Infinity : now + DELAY;
  }

  #begin(): Answer {
    const to = this.#asking.size === 1 ? this.#asking.values().next().value : undefined;
    this.#asking.clear();
    const parts = this.#own.state();
    const { version } = this.#own;
    return { to, number: ++this.#number, version, parts, part: 0, next: parts.next() };
  }
}
