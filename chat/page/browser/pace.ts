/**
 * How fast messages are sent: servers drop what comes faster.
 *
 * @module
 */

/** Messages sent at once. */
export const BURST = 3;
/** Milliseconds between further ones. */
export const PACE = 600;

/** Lets through so many at once, and further ones one by one. */
export class Pace {
  #left = BURST;
  #since = 0;

  /** Everything that may go at once has gone. */
  spend(now: number): void {
    this.#left = 0;
    this.#since = now;
  }

  /** Whether one more may go now; if so, it is counted. */
  take(now: number): boolean {
    const earned = Math.floor((now - this.#since) / PACE);
    if (earned > 0) {
      this.#left = Math.min(BURST, this.#left + earned);
      this.#since = now;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
