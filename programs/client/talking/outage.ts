/** A time without a connection. */

import { pause } from "../../../internal/retry.ts";

/** How many reasons are remembered. */
const MAX_REASONS = 20;

/** For how long there has been no connection, and what was told of it. */
export class Outage {
  readonly #since = performance.now();
  /** When the next connection was made, which has not shown yet that it works. */
  #until: number | undefined;
  readonly #told = new Set<string>();

  /** Whole seconds since its beginning. */
  get seconds(): number {
    return Math.floor(((this.#until ?? performance.now()) - this.#since) / 1_000);
  }

  /** A connection is there, and perhaps works. */
  mayBeOver(): void {
    this.#until = performance.now();
  }

  /** It was not over. */
  goesOn(): void {
    this.#until = undefined;
  }

  /** Whether this was not told yet. It then counts as told. */
  isNew(line: string): boolean {
    if (this.#told.has(line) || this.#told.size >= MAX_REASONS) return false;
    this.#told.add(line);
    return true;
  }

  /** Waits, and shows once a second for how long already and for how long still. */
  async wait(
    wait: number,
    signal: AbortSignal,
    show: (detail: string) => void,
  ): Promise<void> {
    const end = performance.now() + wait;
    for (let left = wait; left > 0 && !signal.aborted; left = end - performance.now()) {
      show(` ${this.seconds} s, again in ${Math.ceil(left / 1_000)} s`);
      await pause(Math.min(left, 1_000), signal);
    }
    show(` ${this.seconds} s, connecting`);
  }
}
