/** How many handlers of a worker run at a time, for all callers together. */

import { Deque } from "@std/data-structures";
import { RequestError } from "../errors.ts";

/** Gives turns, first come first served. */
export class Turns {
  running = 0;
  refused = 0;

  readonly #maxConcurrent: number;
  readonly #maxWaiting: number;
  /** Called when there are more or fewer requests. */
  readonly #changed: () => void;
  readonly #queue = new Deque<() => void>();

  constructor(maxConcurrent: number, maxWaiting: number, changed: () => void) {
    this.#maxConcurrent = maxConcurrent;
    this.#maxWaiting = maxWaiting;
    this.#changed = changed;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Takes a turn now; undefined if one must wait for it, by `later()`. Give it back by `end()`.
   *
   * @throws {RequestError} `busy` if too many wait.
   */
  now(method: string): true | undefined {
    if (this.running < this.#maxConcurrent) {
      this.running++;
      this.#changed();
      return true;
    }
    if (this.#queue.length >= this.#maxWaiting) {
      this.refused++;
      throw new RequestError(
        "busy",
        `Cannot answer ${method}: ${this.running} requests run and ${this.#queue.length} wait already`,
      );
    }
    return undefined;
  }

  /** Waits for a turn. Rejects with the signal's reason when it is aborted. */
  later(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const aborted = () => {
        this.#queue.removeFirst((other) => other === turn);
        this.#changed();
        reject(signal.reason);
      };
      const turn = () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      signal.addEventListener("abort", aborted, { once: true });
      this.#queue.pushBack(turn);
      this.#changed();
    });
  }

  /** A turn is over: who waits longest has it now. */
  end(): void {
    const next = this.#queue.popFront();
    if (next === undefined) this.running--;
    else next();
    this.#changed();
  }
}
