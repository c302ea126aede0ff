/** Timers that are cheap to move, and that do not blame the peer when this process stood still. */

/** If a timer is later than this, in milliseconds, this process or its machine stood still. */
const LATE = 20;
/** The most time that is given back after a standstill, in milliseconds. */
const MAX_GRACE = 10_000;
/** How often in a row: a process that is always late must end a deadline at some time too. */
const MAX_GRACES = 3;

/** How a timer behaves. */
export interface WakeupOptions {
  /**
   * Does not keep the process running.
   *
   * @default false
   */
  readonly idle?: boolean;
  /**
   * Waits longer when the timer is late, because then this process stood still: it was stopped,
   * suspended or busy. Data that arrived in time during the standstill was not read yet. The timer
   * waits again for as long as it was late, at most ten seconds, and at most three times in a row.
   *
   * @default false
   */
  readonly patient?: boolean;
}

/**
 * Calls back at a time that may be moved. To move it later, or to stop it, only writes a number; the
 * underlying timer reads that number when it fires. So a deadline for each message does not cost a
 * timer for each message.
 */
export class Wakeup {
  readonly #wake: (now: number) => void;
  readonly #options: WakeupOptions;
  #due = Infinity;
  /** When the underlying timer fires. */
  #firesAt = Infinity;
  /** Not before this time: this process stood still. */
  #graceEnd = 0;
  #graces = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Wakes by a call of `wake`. */
  constructor(wake: (now: number) => void, options: WakeupOptions = {}) {
    this.#wake = wake;
    this.#options = options;
  }

  /** When it calls back next, on the clock of `performance.now()`; `Infinity` means never. */
  get due(): number {
    return this.#due;
  }

  /** Calls back once, at this time and not before; `Infinity` means never. */
  at(due: number): void {
    this.#due = due;
    if (due < this.#firesAt) this.#fireAt(due);
  }

  /** Stops, and clears the underlying timer. It can be set again. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#due = this.#firesAt = Infinity;
    this.#graceEnd = this.#graces = 0;
  }

  #fireAt(due: number): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#firesAt = Math.max(due, now);
    this.#timer = setTimeout(() => this.#look(), this.#firesAt - now);
    if (this.#options.idle) (this.#timer as { unref?: () => void }).unref?.();
  }

  #look(): void {
    const now = performance.now();
    const late = now - this.#firesAt;
    this.#firesAt = Infinity;
    if (this.#due === Infinity) return;
    const due = Math.max(this.#due, this.#graceEnd);
    if (now < due) {
      this.#fireAt(due);
    } else if (this.#options.patient && late > LATE && this.#graces < MAX_GRACES) {
      this.#graces++;
      this.#graceEnd = now + Math.min(late, MAX_GRACE);
      this.#fireAt(this.#graceEnd);
    } else {
      this.#graces = 0;
      this.#due = Infinity;
      this.#wake(now);
    }
  }
}

/**
 * Calls back `delay` milliseconds after the last `start()`, unless it is stopped before. It is patient
 * unless the options say otherwise.
 */
export class Deadline extends Wakeup {
  readonly #delay: number;

  /** With `idle`, the deadline does not keep the process running. */
  constructor(delay: number, expired: () => void, options: WakeupOptions = {}) {
    super(expired, { patient: true, ...options });
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

/** A deadline that runs already, from now. */
export function deadlineOf(delay: number, expired: () => void): Deadline {
  const deadline = new Deadline(delay, () => expired());
  deadline.start();
  return deadline;
}

/**
 * Time that one timer counts in steps, for many deadlines at once. A step that comes late counts for
 * one interval, however late it is: while this process stood still, nobody could be heard. What
 * arrived meanwhile must be read first, so no deadline is to expire in a late step, at most three
 * times in a row.
 *
 * @example An hour that this process slept
 * ```ts
 * import { Steps } from "./time.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const steps = new Steps(1_000);
 * assertEquals([0, 1_000, 3_601_000, 3_602_000].map((now) => steps.next(now)), [
 *   true,
 *   true,
 *   false,
 *   true,
 * ]);
 * assertEquals(steps.time, 4_000);
 * ```
 */
export class Steps {
  readonly #interval: number;
  #last: number | undefined;
  #graces = 0;
  #time = 0;

  /** Counts steps that are meant to come every `interval` milliseconds. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** The time that was counted, in milliseconds. */
  get time(): number {
    return this.#time;
  }

  /** Counts a step. Returns whether deadlines may expire in it. The clock of `now` may be set back. */
  next(now: number): boolean {
    const took = now - (this.#last ?? now - this.#interval);
    const isLate = took > 1.5 * this.#interval;
    this.#last = now;
    this.#time += isLate || took < 0 ? this.#interval : took;
    this.#graces = isLate && this.#graces < MAX_GRACES ? this.#graces + 1 : 0;
    return this.#graces === 0;
  }
}
