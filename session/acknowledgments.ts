/** When the peer is told what was received: docs/protocol.md, section "Bytes". */

import type { Incoming } from "./incoming.ts";
import { encodeAck } from "./wire.ts";

/** How long received bytes may stay unacknowledged, in milliseconds. */
export const ACK_DELAY = 25;

/** Puts ACK off, so that there are few, but not for long. */
export class Acknowledgments {
  /** When bytes that were received have waited for long enough; Infinity while none wait. */
  deadline = Infinity;

  readonly #in: Incoming;
  #isDue = false;

  /** Tells of what came in. */
  constructor(incoming: Incoming) {
    this.#in = incoming;
  }

  /** There is no carrier any more; the next one's greeting tells all. */
  stop(): void {
    this.#isDue = false;
    this.deadline = Infinity;
  }

  /** Bytes came. */
  received(now: number): void {
    if (this.deadline === Infinity) this.deadline = now + ACK_DELAY;
  }

  /** Looks at the clock. */
  timeout(now: number): void {
    if (now < this.deadline) return;
    this.deadline = Infinity;
    this.#isDue = true;
  }

  /** The next ACK, if it is time for one, or the peer asks and there is anything to tell. */
  next(isAsked: boolean): Uint8Array | undefined {
    if (!this.#in.isNews) return undefined;
    if (!isAsked && !this.#isDue && !this.#in.isMuchNews) return undefined;
    this.told();
    return encodeAck(this.#in.received, this.#in.limit);
  }

  /** The peer is being told all, by ACK or otherwise. */
  told(): void {
    this.#in.tell();
    this.stop();
  }
}
