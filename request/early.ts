/** Notifications that are made before the peer has said what it takes. */

import { Deque } from "@std/data-structures";

/** How many bytes they may have together. A single one may have more. */
const MAX_EARLY_BYTES = 1024 * 1024;
/** Each counts for at least so many bytes. */
const MIN_COST = 64;

/**
 * Notifications that wait for the peer's HELLO: those that are larger than what every peer takes, and
 * those behind them, so that they stay in order.
 */
export class EarlyNotices {
  readonly #turns = new Deque<() => void>();
  #cost = 0;

  /** Whether none waits. */
  get isEmpty(): boolean {
    return this.#turns.isEmpty();
  }

  /** Adds one, which `turn` will send. Returns false if too much waits already. */
  add(bytes: number, turn: () => void): boolean {
    const cost = this.#cost + Math.max(bytes, MIN_COST);
    if (cost > MAX_EARLY_BYTES && !this.isEmpty) return false;
    this.#cost = cost;
    this.#turns.pushBack(turn);
    return true;
  }

  /** It is everybody's turn, in order: the HELLO has come, or the connection has ended. */
  release(): void {
    this.#cost = 0;
    for (const turn of this.#turns) turn();
    this.#turns.clear();
  }
}
