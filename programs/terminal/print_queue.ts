/** What was printed and is not drawn yet. */

import type { Layout } from "./margin.ts";

/** How many lines may wait. */
const MAX_LINES = 1000;
/** How long a line may wait, in milliseconds. */
const MAX_DELAY = 250;

/** What a {@linkcode PrintQueue} needs. */
export interface PrintQueueOptions {
  /** Draws lines. */
  draw(lines: readonly (string | Layout)[]): void;
  /** Whether nothing may be drawn now. */
  isHeld(): boolean;
}

/**
 * Lines that wait to be drawn. A slow screen is drawn less often, so that drawing takes at most a
 * fifth of the time.
 */
export class PrintQueue {
  readonly #options: PrintQueueOptions;
  #lines: (string | Layout)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 0;

  /** An empty queue. */
  constructor(options: PrintQueueOptions) {
    this.#options = options;
  }

  /** Whether lines wait. */
  get waits(): boolean {
    return this.#lines.length > 0;
  }

  /** Takes a line, and draws it soon, or at once. */
  add(line: string | Layout, atOnce: boolean): void {
    this.#lines.push(line);
    const delay = this.#next - performance.now();
    if (delay <= 0 || atOnce || this.#lines.length >= MAX_LINES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), delay);
  }

  /** Draws what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.waits || this.#options.isHeld()) return;
    const lines = this.#lines;
    this.#lines = [];
    const start = performance.now();
    this.#options.draw(lines);
    const now = performance.now();
    this.#next = now + Math.min(4 * (now - start), MAX_DELAY);
  }
}
