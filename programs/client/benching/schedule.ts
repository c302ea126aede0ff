/**
 * When messages are due. It depends on the clock only, and never on answers: a peer that stops for a
 * while finds all that has become due in this time, and each of these messages is measured from the
 * time when it was due. Who waits for the peer instead measures one message that was slow
 * ("coordinated omission").
 */

/** A constant rate, to which the rate grows evenly during a ramp. Times are milliseconds since the start. */
export class Schedule {
  /** How many messages belong to the ramp. */
  readonly rampCount: number;
  readonly #perMillisecond: number;
  readonly #ramp: number;

  /** `rate` is in messages per second, `ramp` in milliseconds. */
  constructor(rate: number, ramp: number) {
    this.#perMillisecond = rate / 1_000;
    this.#ramp = ramp;
    this.rampCount = this.#perMillisecond * ramp / 2;
  }

  /** When a message is due. The first one has the number 0. */
  dueAt(index: number): number {
    return index < this.rampCount
      ? Math.sqrt(2 * index * this.#ramp / this.#perMillisecond)
      : this.#ramp + (index - this.rampCount) / this.#perMillisecond;
  }

  /** How many messages are due until a time, which is not before the start. */
  dueBy(time: number): number {
    const count = time < this.#ramp
      ? this.#perMillisecond * time * time / (2 * this.#ramp)
      : this.rampCount + this.#perMillisecond * (time - this.#ramp);
    return Math.floor(count) + 1;
  }

  /** How many messages are due before a time after the ramp. */
  countBefore(time: number): number {
    return Math.ceil(this.rampCount + this.#perMillisecond * (time - this.#ramp));
  }
}
