/** How long a peer may take: neither standing still nor trickling. */

import { Deadline } from "../internal/time.ts";

/** What a peer must keep up. */
export interface PaceOptions {
  /** How long it may stand still, in milliseconds. */
  readonly idleTimeout: number;
  /** What must come on average, over `idleTimeout` of waiting. */
  readonly minBytesPerSecond: number;
}

/** Watches how fast a peer does its part. Only the time in which it is waited for counts. */
export class Pace implements Disposable {
  readonly #options: PaceOptions;
  readonly #failed: (state: string) => void;
  readonly #deadline: Deadline;
  #startedAt = 0;
  /** Since the average was looked at. */
  #waited = 0;
  #bytes = 0;

  /** `failed` is told, once, why it is not waited for any longer. */
  constructor(options: PaceOptions, failed: (state: string) => void) {
    const { idleTimeout } = options;
    this.#options = options;
    this.#failed = failed;
    this.#deadline = new Deadline(
      idleTimeout,
      () => failed(`nothing moved within ${idleTimeout} ms`),
    );
  }

  /** Waits for the peer from now on. */
  wait(): void {
    this.#startedAt = performance.now();
    this.#deadline.start();
  }

  /** The peer has moved so many bytes. */
  moved(bytes: number): void {
    const { idleTimeout, minBytesPerSecond } = this.#options;
    this.#deadline.stop();
    this.#waited += performance.now() - this.#startedAt;
    this.#bytes += bytes;
    if (this.#waited < idleTimeout) return;
    const isSlow = this.#bytes * 1000 < minBytesPerSecond * this.#waited;
    this.#waited = this.#bytes = 0;
    if (isSlow) this.#failed(`less than ${minBytesPerSecond} bytes per second moved`);
  }

  /** Waits no more. */
  [Symbol.dispose](): void {
    this.#deadline.clear();
  }
}
