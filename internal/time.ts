/** A deadline that costs nothing to move. */

/**
 * Calls `expired` when `delay` milliseconds have passed since the last `start()` without a `stop()`.
 * Starting and stopping only writes a number; the timer beneath looks at it when it fires, so that
 * a deadline per message does not cost a timer per message.
 */
export class Deadline {
  readonly #delay: number;
  readonly #expired: () => void;
  readonly #idle: boolean;
  #due = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** An `idle` deadline does not keep the process running. */
  constructor(delay: number, expired: () => void, options: { idle?: boolean } = {}) {
    const { idle = false } = options;
    this.#delay = delay;
    this.#expired = expired;
    this.#idle = idle;
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.#due !== Infinity;
  }

  /** Starts anew, from now. */
  start(): void {
    this.#due = performance.now() + this.#delay;
    if (this.#timer === undefined) this.#arm(this.#delay);
  }

  /** Stops; it can be started again. */
  stop(): void {
    this.#due = Infinity;
  }

  /** Stops for good and lets go of the timer. */
  clear(): void {
    this.#due = Infinity;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delay: number): void {
    this.#timer = setTimeout(() => this.#look(), delay);
    if (this.#idle) (this.#timer as { unref?: () => void }).unref?.();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#due === Infinity) return;
    const left = this.#due - performance.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.#due = Infinity;
    this.#expired();
  }
}
