/** A deadline that costs nothing to move. */

/**
 * Calls `expired` when `delay` milliseconds have passed since the last `start()` without a `stop()`.
 * Starting and stopping only writes a number; the timer beneath looks at it when it fires, so that
 * a deadline per message does not cost a timer per message.
 */
export class Deadline {
  readonly #delay: number;
  readonly #expired: () => void;
  #due = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(delay: number, expired: () => void) {
    this.#delay = delay;
    this.#expired = expired;
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.#due !== Infinity;
  }

  /** Starts anew, from now. */
  start(): void {
    this.#due = performance.now() + this.#delay;
    this.#timer ??= setTimeout(() => this.#look(), this.#delay);
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

  #look(): void {
    this.#timer = undefined;
    if (this.#due === Infinity) return;
    const left = this.#due - performance.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#look(), left);
      return;
    }
    this.#due = Infinity;
    this.#expired();
  }
}
