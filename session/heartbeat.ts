/** Whether the peer is alive, and how long a round trip takes. */

import type { Distribution } from "../internal/distribution.ts";

/** If a timer is late by more than this share of the timeout, this end itself was too slow. */
const LATE = 0.05;
/** How often in a row the peer is given more time because this end was late. */
const MAX_EXTENSIONS = 3;
/** RFC 6298, section 2: how much a new measurement counts. */
const SMOOTHING = 1 / 8;

/** Asks a silent peer whether it is there. Everything that arrives is an answer. */
export class Heartbeat {
  /** The smoothed round-trip time, in milliseconds. */
  roundTripTime: number | undefined;
  /** Where each measured time goes. */
  times: Distribution | undefined;
  /** Whether a PING should be sent. */
  wantsPing = false;
  /** When `isLost()` should be called. */
  deadline = Infinity;

  readonly #interval: number;
  readonly #timeout: number;
  #state: "stopped" | "listening" | "asking" = "stopped";
  #extensions = 0;
  #token = 0;
  /** When the last PING was sent; undefined when it was answered. */
  #sentAt: number | undefined;

  /** Asks after `interval` milliseconds of silence, and gives up after `timeout` more. */
  constructor(interval: number, timeout: number) {
    this.#interval = interval;
    this.#timeout = timeout;
  }

  /** There is a carrier. The round trip is measured at once. */
  start(now: number): void {
    this.received(now);
    this.wantsPing = true;
    this.#sentAt = undefined;
  }

  /** There is no carrier any more. */
  stop(): void {
    this.#state = "stopped";
    this.deadline = Infinity;
    this.wantsPing = false;
  }

  /** Something arrived. */
  received(now: number): void {
    this.#state = "listening";
    this.#extensions = 0;
    this.deadline = now + this.#interval;
  }

  /** The token of a PING that is being sent. */
  ping(now: number): number {
    this.wantsPing = false;
    this.#sentAt = now;
    this.#token = (this.#token + 1) % 2 ** 32;
    return this.#token;
  }

  /** A PONG arrived. If it answers an older PING, it is not used to measure the time. */
  pong(token: number, now: number): void {
    if (token !== this.#token || this.#sentAt === undefined) return;
    const time = now - this.#sentAt;
    this.#sentAt = undefined;
    this.times?.add(time);
    this.roundTripTime = this.roundTripTime === undefined
      ? time
      : this.roundTripTime + SMOOTHING * (time - this.roundTripTime);
  }

  /** Looks at the clock; returns whether the peer counts as lost. */
  isLost(now: number): boolean {
    if (now < this.deadline) return false;
    if (this.#state === "asking") {
      // If this process stood still, bytes from the peer may wait to be read.
      const wasLate = now - this.deadline > LATE * this.#timeout;
      if (!wasLate || this.#extensions++ === MAX_EXTENSIONS) return true;
    }
    this.#state = "asking";
    this.wantsPing = true;
    this.deadline = now + this.#timeout;
    return false;
  }
}
