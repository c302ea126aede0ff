/** What was published and is not known to have reached the broker. */

import { Deque } from "@std/data-structures";

/** A message on its way to the broker. */
export interface Waiting {
  readonly subject: string;
  readonly bytes: Uint8Array;
}

/**
 * The broker's client forgets what it is given while the broker is away, and cannot tell what had arrived
 * before. So everything is kept here until the broker has answered to what was sent after it.
 */
export class Window {
  readonly #maxBytes: number;
  readonly #waiting = new Deque<Waiting>();
  #bytes = 0;
  /** How many were ever taken, and how many of them have arrived. */
  #taken = 0;
  #arrived = 0;

  /** Keeps at most so many bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages were taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.isEmpty();
  }

  /** Keeps a message; returns false if there is no room for it. */
  add(message: Waiting): boolean {
    if (this.#bytes + message.bytes.length > this.#maxBytes) return false;
    this.#bytes += message.bytes.length;
    this.#taken++;
    this.#waiting.pushBack(message);
    return true;
  }

  /** The first so many of all that were taken have arrived. */
  arrived(count: number): void {
    for (; this.#arrived < count; this.#arrived++) {
      this.#bytes -= this.#waiting.popFront()!.bytes.length;
    }
  }

  /** What waits, the oldest first. */
  [Symbol.iterator](): Iterator<Waiting> {
    return this.#waiting[Symbol.iterator]();
  }
}
