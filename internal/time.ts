/** Timers that are cheap to move. */

/**
 * Calls back at a time that may be moved. To move it later, or to stop it, only writes a number; the
 * underlying timer reads that number when it fires. So a deadline for each message does not cost a
 * timer for each message.
 */
export class Wakeup {
  readonly #wake: (now: number) => void;
  readonly #isIdle: boolean;
  #due = Infinity;
  /** When the underlying timer fires. */
  #firesAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** With `idle`, it does not keep the process running. */
  constructor(wake: (now: number) => void, options: { idle?: boolean } = {}) {
    const { idle = false } = options;
    this.#wake = wake;
    this.#isIdle = idle;
  }

  /** When it calls back next, on the clock of `performance.now()`; `Infinity` means never. */
  get due(): number {
    return this.#due;
  }

  /** Calls back once, at this time and not before; `Infinity` means never. */
  at(due: number): void {
    this.#due = due;
    if (due >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = due;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, due - performance.now()));
    if (this.#isIdle) (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Stops, and clears the underlying timer. It can be set again. */
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

/** Calls back `delay` milliseconds after the last `start()`, unless it is stopped before. */
export class Deadline extends Wakeup {
  readonly #delay: number;

  /** With `idle`, the deadline does not keep the process running. */
  constructor(delay: number, expired: () => void, options: { idle?: boolean } = {}) {
    super(expired, options);
    this.#delay = delay;
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.due !== Infinity;
  }

  /** Starts, or starts again from now. */
  start(): void {
    this.at(performance.now() + this.#delay);
  }

  /** Stops. It can be started again. */
  stop(): void {
    this.at(Infinity);
  }
}
