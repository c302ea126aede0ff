/** Decides when ACK is sent: docs/protocol.md, section "Bytes". */

import type { Incoming } from "./incoming.ts";
import { encodeAck } from "./wire.ts";

/** How long received bytes may stay unacknowledged, in milliseconds. */
export const ACK_DELAY = 25;

/** Delays ACK for a short time, so that there are few ACKs. */
export class Acknowledgments {
  /** When received bytes must be acknowledged; Infinity while none wait. */
  deadline = Infinity;

  readonly #in: Incoming;
  #isDue = false;

  /** Acknowledges the bytes of `incoming`. */
  constructor(incoming: Incoming) {
    this.#in = incoming;
  }

  /** There is no carrier any more. The greeting on the next carrier acknowledges everything. */
  stop(): void {
    this.#isDue = false;
    this.deadline = Infinity;
  }

  /** Bytes arrived. */
  received(now: number): void {
    if (this.deadline === Infinity) this.deadline = now + ACK_DELAY;
  }

  /** Looks at the clock. */
  timeout(now: number): void {
    if (now < this.deadline) return;
    this.deadline = Infinity;
    this.#isDue = true;
  }

  /** The next ACK, if it is time for one, or if the peer asks and there is something to tell. */
  next(isAsked: boolean): Uint8Array | undefined {
    if (!this.#in.isNews) return undefined;
    if (!isAsked && !this.#isDue && !this.#in.isMuchNews) return undefined;
    this.told();
    return encodeAck(this.#in.received, this.#in.limit);
  }

  /** The peer is being told everything, by ACK or by a greeting. */
  told(): void {
    this.#in.tell();
    this.stop();
  }
}
