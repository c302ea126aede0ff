/** Whether the peer is alive, and how far away. */

/** Share of the timeout by which a timer may be late before that counts as this end's own fault. */
const LATE = 0.05;
/** How often in a row the peer is given more time because this end was late. */
const MAX_EXTENSIONS = 3;
/** RFC 6298, section 2: how much a new measurement counts. */
const SMOOTHING = 1 / 8;

/** Asks a silent peer whether it is there; anything that arrives is an answer. */
export class Heartbeat {
  /** Smoothed, in milliseconds. */
  roundTripTime: number | undefined;
  /** Whether a PING is to be sent. */
  wantsPing = false;
  /** When something has to be done. */
  deadline = Infinity;

  readonly #interval: number;
  readonly #timeout: number;
  #state: "stopped" | "listening" | "asking" = "stopped";
  #extensions = 0;
  #token = 0;
  /** When the last PING was sent; undefined when it was answered. */
  #sentAt: number | undefined;

  /** Asks after `interval` of silence, and gives up after `timeout` more. */
  constructor(interval: number, timeout: number) {
    this.#interval = interval;
    this.#timeout = timeout;
  }

  /** There is a carrier: the round trip is measured at once. */
  start(now: number): void {
    this.received(now);
    this.wantsPing = true;
    this.#sentAt = undefined;
  }

  /** There is none any more. */
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

  /** An answer; one to an older question tells nothing about the time. */
  pong(token: number, now: number): void {
    if (token !== this.#token || this.#sentAt === undefined) return;
    const time = now - this.#sentAt;
    this.#sentAt = undefined;
    this.roundTripTime = this.roundTripTime === undefined
      ? time
      : this.roundTripTime + SMOOTHING * (time - this.roundTripTime);
  }

  /** Looks at the clock; returns whether the peer must be taken for lost. */
  isLost(now: number): boolean {
    if (now < this.deadline) return false;
    if (this.#state === "asking") {
      // If this process stood still, what the peer sent meanwhile waits to be read.
      const wasLate = now - this.deadline > LATE * this.#timeout;
      if (!wasLate || this.#extensions++ === MAX_EXTENSIONS) return true;
    }
    this.#state = "asking";
    this.wantsPing = true;
    this.deadline = now + this.#timeout;
    return false;
  }
}
