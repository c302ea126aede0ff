/** When a session without a carrier is given up. */

/** A timer that is later than this was held up by this process, in milliseconds. */
const LATE = 1_000;

/** A time that is put off once when this process, and not the peer, was late. */
export class Expiry {
  /** When to look; Infinity while there is a carrier. */
  deadline = Infinity;

  readonly #grace: number;
  #wasExtended = false;

  /** Gives `grace` milliseconds more when it was looked at late. */
  constructor(grace: number) {
    this.#grace = grace;
  }

  /** There is no carrier any more. */
  start(deadline: number): void {
    this.deadline = deadline;
    this.#wasExtended = false;
  }

  /** There is one. */
  stop(): void {
    this.deadline = Infinity;
  }

  /** Looks at the clock; returns whether the session must be given up. */
  isOver(now: number): boolean {
    if (now < this.deadline) return false;
    if (now - this.deadline <= LATE || this.#wasExtended) return true;
    // This process stood still: the peer may have come meanwhile.
    this.#wasExtended = true;
    this.deadline = now + this.#grace;
    return false;
  }
}
