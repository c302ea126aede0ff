/** Timers that cost nothing to move. */

/**
 * Calls back at a time that may be moved. Moving it later, or away, only writes a number: the timer
 * beneath looks at that when it fires, so that a deadline per message does not cost a timer per
 * message.
 */
export class Wakeup {
  readonly #wake: (now: number) => void;
  readonly #isIdle: boolean;
  #due = Infinity;
  /** When the timer beneath fires. */
  #firesAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** An `idle` one does not keep the process running. */
  constructor(wake: (now: number) => void, options: { idle?: boolean } = {}) {
    const { idle = false } = options;
    this.#wake = wake;
    this.#isIdle = idle;
  }

  /** When it wakes next, on the clock of `performance.now()`; Infinity is never. */
  get due(): number {
    return this.#due;
  }

  /** Wakes at this time, once, and not before; Infinity is never. */
  at(due: number): void {
    this.#due = due;
    if (due >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = due;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, due - performance.now()));
    if (this.#isIdle) (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Lets go of the timer; it can be set again. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#due = this.#firesAt = Infinity;
  }

  #look(): void {
    this.#firesAt = Infinity;
    const due = this.#due;
    const now = performance.now();
    if (now < due) {
      this.at(due);
      return;
    }
    this.#due = Infinity;
    this.#wake(now);
  }
}

/** Calls back when so many milliseconds have passed since the last `start()` without a `stop()`. */
export class Deadline extends Wakeup {
  readonly #delay: number;

  /** An `idle` deadline does not keep the process running. */
  constructor(delay: number, expired: () => void, options: { idle?: boolean } = {}) {
    super(expired, options);
    this.#delay = delay;
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.due !== Infinity;
  }

  /** Starts anew, from now. */
  start(): void {
    this.at(performance.now() + this.#delay);
  }

  /** Stops; it can be started again. */
  stop(): void {
    this.at(Infinity);
  }
}
