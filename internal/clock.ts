/** One clock for all deadlines of this process. */

import { ascend, BinaryHeap } from "@std/data-structures";
import { MAX_DELAY } from "./check.ts";

/** What is called when its time has come. */
export interface Sleeper {
  /** Whether it keeps the process running until then. */
  readonly holds: boolean;
  /** Called once, at `now` on the clock of `performance.now()`. */
  ring(now: number): void;
}

/**
 * Calls sleepers at their times, by one timer of the runtime. Sleepers with the same time share one
 * turn. A sleeper that may be late gives the `grain`: its time is rounded up to a multiple of it. So
 * thousands of sleepers with a grain of a second wake the process once a second at most.
 */
export class Clock {
  readonly #byTime = new Map<number, Set<Sleeper>>();
  /** The keys of `#byTime`. The sets of some may be empty. */
  readonly #times = new BinaryHeap<number>(ascend);
  /** Sleepers, and those of them that keep the process running. */
  #count = 0;
  #holding = 0;
  /** No sleeper is called before this time, so that a turn always ends. */
  #earliest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires. */
  #firesAt = Infinity;

  /** How many sleepers there are. */
  get size(): number {
    return this.#count;
  }

  /** Adds a sleeper, and returns its time: not before `time`, and less than a `grain` after it. */
  add(sleeper: Sleeper, time: number, grain: number): number {
    const rounded = Math.max(Math.ceil(time / grain) * grain, this.#earliest);
    let sleepers = this.#byTime.get(rounded);
    if (sleepers === undefined) {
      this.#byTime.set(rounded, sleepers = new Set());
      this.#times.push(rounded);
    }
    sleepers.add(sleeper);
    this.#count++;
    if (sleeper.holds && ++this.#holding === 1) setHolds(this.#timer, true);
    if (rounded < this.#firesAt) this.#fireAt(rounded);
    return rounded;
  }

  /** Removes a sleeper before its time, which `add()` has returned. */
  delete(sleeper: Sleeper, time: number): void {
    if (this.#byTime.get(time)?.delete(sleeper)) this.#removed(sleeper);
    if (this.#count === 0) this.#clear();
  }

  #removed(sleeper: Sleeper): void {
    this.#count--;
    if (sleeper.holds && --this.#holding === 0) setHolds(this.#timer, false);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Infinity;
    this.#times.clear();
    this.#byTime.clear();
  }

  #fireAt(time: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = time;
    const delay = Math.max(0, Math.min(time - performance.now(), MAX_DELAY));
    this.#timer = setTimeout(() => this.#look(), delay);
    if (this.#holding === 0) setHolds(this.#timer, false);
  }

  #look(): void {
    const now = performance.now();
    this.#firesAt = Infinity;
    this.#earliest = Math.floor(now) + 1;
    for (let time; (time = this.#times.peek()) !== undefined && time <= now;) {
      this.#times.pop();
      this.#ring(this.#byTime.get(time)!, now);
      this.#byTime.delete(time);
    }
    this.#fireNext();
  }

  /** Those that are removed meanwhile are not called. */
  #ring(sleepers: Set<Sleeper>, now: number): void {
    for (const sleeper of sleepers) {
      sleepers.delete(sleeper);
      this.#removed(sleeper);
      try {
        sleeper.ring(now);
      } catch (error) {
        // As in a timer of its own: the others are called nevertheless.
        reportError(error);
      }
    }
  }

  #fireNext(): void {
    if (this.#count === 0) return this.#clear();
    let time = this.#times.peek()!;
    for (; this.#byTime.get(time)!.size === 0; time = this.#times.peek()!) {
      this.#times.pop();
      this.#byTime.delete(time);
    }
    if (time < this.#firesAt) this.#fireAt(time);
  }
}

/** Says whether a timer keeps the process running, where the runtime has such a thing. */
function setHolds(timer: ReturnType<typeof setTimeout> | undefined, holds: boolean): void {
  const held = timer as { ref?: () => void; unref?: () => void } | undefined;
  if (holds) held?.ref?.();
  else held?.unref?.();
}

/** The clock of all wakeups. */
export const CLOCK: Clock = new Clock();
