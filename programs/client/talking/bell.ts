/** The bell of the terminal. */

import type { Mention } from "../../terminal/names.ts";

/** The least time between two rings, in milliseconds. */
const INTERVAL = 1_000;

/** Rings when the user is called, if it is wanted, and not too often. */
export class Bell {
  readonly #isWanted: boolean;
  #rangAt = -Infinity;

  /** A bell that rings, or never does. */
  constructor(isWanted: boolean) {
    this.#isWanted = isWanted;
  }

  /** What to print for it to ring, which is nothing if it should not. */
  ring(call: Mention): string {
    const now = performance.now();
    if (!this.#isWanted || call !== "now" || now - this.#rangAt < INTERVAL) return "";
    this.#rangAt = now;
    return "\x07";
  }
}
