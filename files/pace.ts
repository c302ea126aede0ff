/** Notices peers that stand still or are too slow. */

import { Deadline } from "../internal/time.ts";

/** The pace that a peer must keep. */
export interface PaceOptions {
  /** For how long no bytes may move, in milliseconds. */
  readonly idleTimeout: number;
  /** How many bytes must move per second, on average over `idleTimeout` of waiting. */
  readonly minBytesPerSecond: number;
}

/** Watches how fast a peer is. Only the time in which this end waits for the peer counts. */
export class Pace implements Disposable {
  readonly #options: PaceOptions;
  readonly #failed: (state: string) => void;
  readonly #deadline: Deadline;
  #startedAt = 0;
  /** The time that was waited since the average was last checked, in milliseconds. */
  #waited = 0;
  #bytes = 0;

  /** `failed` is called once, with the reason why the peer is too slow. */
  constructor(options: PaceOptions, failed: (state: string) => void) {
    const { idleTimeout } = options;
    this.#options = options;
    this.#failed = failed;
    this.#deadline = new Deadline(
      idleTimeout,
      () => failed(`nothing moved within ${idleTimeout} ms`),
    );
  }

  /** This end waits for the peer from now on. */
  wait(): void {
    this.#startedAt = performance.now();
    this.#deadline.start();
  }

  /** The peer has sent or taken so many bytes. */
  moved(bytes: number): void {
    const { idleTimeout, minBytesPerSecond } = this.#options;
    this.#deadline.stop();
    const waited = performance.now() - this.#startedAt;
    // Longer is only what this process slept through.
    if (waited >= idleTimeout) return;
    this.#waited += waited;
    this.#bytes += bytes;
    if (this.#waited < idleTimeout) return;
    const isSlow = this.#bytes * 1000 < minBytesPerSecond * this.#waited;
    this.#waited = this.#bytes = 0;
    if (isSlow) this.#failed(`less than ${minBytesPerSecond} bytes per second moved`);
  }

  /** Ends the waiting. */
  [Symbol.dispose](): void {
    this.#deadline.clear();
  }
}
