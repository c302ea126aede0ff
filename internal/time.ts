/** Deadlines that are cheap to move, and that do not blame the peer when this process stood still. */

import { CLOCK, type Sleeper } from "./clock.ts";

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
   * Once it waits at least a millisecond, also when it seems to be in time: the standstill may have
   * ended just then, and what has arrived is read first.
   *
   * @default false
   */
  readonly patient?: boolean;
  /**
   * How late it may be, in milliseconds, at least 1. Those that may be late wake together.
   *
   * @default 1
   */
  readonly grain?: number;
}

/** From this delay on, in milliseconds, a deadline may be late. */
const LONG_DELAY = 10_000;
/** A tenth of the shortest of them. */
const LONG_GRAIN = 1_000;

/** How late a deadline of this delay may be, in milliseconds: long ones up to a second. */
export function grainOf(delay: number): number {
  return delay < LONG_DELAY ? 1 : LONG_GRAIN;
}

/**
 * Calls back at a time that may be moved. To move it later, or to stop it, only writes a number, which
 * the clock reads when it gets there. So a deadline for each message does not cost a timer for each
 * message. All wakeups share one timer of the runtime.
 */
export class Wakeup implements Sleeper {
  /** Whether it keeps the process running. */
  readonly holds: boolean;
  readonly #wake: (now: number) => void;
  readonly #isPatient: boolean;
  readonly #grain: number;
  #due = Infinity;
  /** When the clock calls it. */
  #firesAt = Infinity;
  /** Not before this time: this process stood still. */
  #graceEnd = 0;
  #graces = 0;

  /** Wakes by a call of `wake`. */
  constructor(wake: (now: number) => void, options: WakeupOptions = {}) {
    const { idle = false, patient = false, grain = 1 } = options;
    this.#wake = wake;
    this.#isPatient = patient;
    this.#grain = grain;
    this.holds = !idle;
  }

  /** When it calls back next, on the clock of `performance.now()`; `Infinity` means never. */
  get due(): number {
    return this.#due;
  }

  /** Calls back once, at this time and not before; `Infinity` means never. */
  at(due: number): void {
    this.#due = due;
    if (due < this.#firesAt - this.#grain) this.#fireAt(due);
  }

  /** Stops, and leaves the clock. It can be set again. */
  clear(): void {
    if (this.#firesAt !== Infinity) CLOCK.delete(this, this.#firesAt);
    this.#due = this.#firesAt = Infinity;
    this.#graceEnd = this.#graces = 0;
  }

  #fireAt(due: number, grain = this.#grain): void {
    if (this.#firesAt !== Infinity) CLOCK.delete(this, this.#firesAt);
    this.#firesAt = CLOCK.add(this, Math.max(due, performance.now()), grain);
  }

  /** For the clock only: the time has come to look whether it is due. */
  ring(now: number): void {
    const late = now - this.#firesAt;
    this.#firesAt = Infinity;
    if (this.#due === Infinity) return;
    const due = Math.max(this.#due, this.#graceEnd);
    if (now < due) {
      this.#fireAt(due);
    } else if (this.#isPatient && this.#graces < (late > LATE ? MAX_GRACES : 1)) {
      this.#graces++;
      this.#graceEnd = now + Math.min(Math.max(late, 1), MAX_GRACE);
      this.#fireAt(this.#graceEnd, 1);
    } else {
      this.#graces = 0;
      this.#due = Infinity;
      this.#wake(now);
    }
  }
}

/**
 * Calls back `delay` milliseconds after the last `start()`, unless it is stopped before. It is patient
 * unless the options say otherwise. From ten seconds on, it may be up to a second late.
 */
export class Deadline extends Wakeup {
  readonly #delay: number;

  /** With `idle`, the deadline does not keep the process running. */
  constructor(delay: number, expired: () => void, options: WakeupOptions = {}) {
    super(expired, { patient: true, grain: grainOf(delay), ...options });
    this.#delay = delay;
  }

  /** Whether it is running. */
  get running(): boolean {
    return this.due !== Infinity;
  }

  /** Starts, or starts again from now. Returns the time now, on the clock of `performance.now()`. */
  start(): number {
    const now = performance.now();
    this.at(now + this.#delay);
    return now;
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
