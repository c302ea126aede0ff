/** The one timer of a session. */

/** Calls back at a time that may be moved; moving it later costs nothing. */
export class Wakeup {
  readonly #wake: (now: number) => void;
  #due = Infinity;
  /** When the timer beneath fires. */
  #firesAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(wake: (now: number) => void) {
    this.#wake = wake;
  }

  /** Wakes at this time of `performance.now()`, and not before; Infinity is never. */
  at(due: number): void {
    this.#due = due;
    if (due >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = due;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, due - performance.now()));
  }

  /** Never wakes again, unless told to. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#due = this.#firesAt = Infinity;
  }

  #look(): void {
    this.#firesAt = Infinity;
    const due = this.#due;
    const now = performance.now();
    if (now >= due) this.#wake(now);
    else this.at(due);
  }
}
