/** Whether silent members are still there, as far as they can be asked. */

import { Steps } from "../../internal/time.ts";
import type { Member } from "./member.ts";

/** How long to wait, and what to do then. Times are in milliseconds. */
export interface LivenessOptions {
  /** How often `tick()` is called. */
  readonly tick: number;
  /** A member that says nothing for this time is asked. With 0 nobody is. */
  readonly pingInterval: number;
  /** A member that says nothing for this further time is gone. */
  readonly pongTimeout: number;
  /** Asks a member. */
  ask(member: Member): void;
  /** A member did not answer. */
  isGone(member: Member): void;
}

/** What is waited for: a word, that a question is written, or its answer. `since`: since when. */
interface Wait {
  readonly for: "word" | "writing" | "answer";
  readonly since: number;
}

/**
 * Asks silent members whether they are there, and gives up those that do not answer. Only a member
 * that has promised to answer is asked. Everything that it says is an answer. There is one timer for
 * all, and a word costs no timer.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #steps: Steps;
  readonly #waits = new Map<Member, Wait>();

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#steps = new Steps(options.tick);
  }

  /** A member has promised to answer. */
  promised(member: Member): void {
    if (this.#options.pingInterval > 0) this.#wait(member, "word");
  }

  /** A member has said something. */
  heard(member: Member): void {
    if (this.#waits.has(member)) this.#wait(member, "word");
  }

  /** A member has left. */
  forget(member: Member): void {
    this.#waits.delete(member);
  }

  /** Looks at all members. */
  tick(now: number): void {
    const { pingInterval, pongTimeout, ask, isGone } = this.#options;
    const mayExpire = this.#steps.next(now);
    for (const [member, wait] of this.#waits) {
      const waited = this.#steps.time - wait.since;
      if (wait.for === "word" && waited >= pingInterval) {
        this.#wait(member, "writing");
        ask(member);
      } else if (wait.for === "writing") {
        // What waits behind much else cannot be answered yet. Whether the peer takes anything is for
        // `writeTimeout`.
        const isWritten = member.connection.stats.bufferedBytes === 0;
        if (isWritten) this.#waits.set(member, { for: "answer", since: wait.since });
        else this.#wait(member, "writing");
      } else if (wait.for === "answer" && waited >= pongTimeout && mayExpire) isGone(member);
    }
  }

  #wait(member: Member, what: Wait["for"]): void {
    this.#waits.set(member, { for: what, since: this.#steps.time });
  }
}
