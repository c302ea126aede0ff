/** Decides when a session without a carrier is given up. */

/** If a timer is later than this, in milliseconds, this process stood still. */
const LATE = 1_000;

/** A deadline that is extended once, if this process was late and not the peer. */
export class Expiry {
  /** When to check; Infinity while there is a carrier. */
  deadline = Infinity;

  readonly #grace: number;
  #wasExtended = false;

  /** Gives `grace` milliseconds more when the check was late. */
  constructor(grace: number) {
    this.#grace = grace;
  }

  /** There is no carrier any more. */
  start(deadline: number): void {
    this.deadline = deadline;
    this.#wasExtended = false;
  }

  /** There is a carrier. */
  stop(): void {
    this.deadline = Infinity;
  }

  /** Looks at the clock; returns whether the session must be given up. */
  isOver(now: number): boolean {
    if (now < this.deadline) return false;
    if (now - this.deadline <= LATE || this.#wasExtended) return true;
    // This process stood still. The peer may have come during that time.
    this.#wasExtended = true;
    this.deadline = now + this.#grace;
    return false;
  }
}
