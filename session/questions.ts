/** PING and PONG: docs/protocol.md, sections "Bytes" and "Heartbeats". */

import type { Heartbeat } from "./heartbeat.ts";
import type { Outgoing } from "./outgoing.ts";
import { encodePing, encodePong } from "./wire.ts";

/** What one end asks the other on a carrier, and answers it. */
export class Questions {
  readonly #heartbeat: Heartbeat;
  /** Of the peer's last question. */
  #token: number | undefined;
  #wantsAck = false;
  /** Up to where the peer was asked what it has received. */
  #askedAt = -1;

  /** Asks what the heartbeat wants to know, and tells it when. */
  constructor(heartbeat: Heartbeat) {
    this.#heartbeat = heartbeat;
  }

  /** Whether the peer waits for an answer, before which it is to be told what was received. */
  get isAsked(): boolean {
    return this.#token !== undefined;
  }

  /** There is no carrier any more: nobody waits for answers. */
  stop(): void {
    this.#token = undefined;
    this.#wantsAck = false;
    this.#askedAt = -1;
  }

  /** The peer asks. Of several questions only the last one need be answered. */
  asked(token: number): void {
    this.#token = token;
  }

  /** Asks the peer for an acknowledgment as soon as everything is sent. */
  askForAck(): void {
    this.#wantsAck = true;
  }

  /** The next frame that is worth more than bytes of the stream. */
  next(clock: () => number): Uint8Array | undefined {
    if (this.#token !== undefined) {
      const token = this.#token;
      this.#token = undefined;
      return encodePong(token);
    }
    return this.#heartbeat.wantsPing ? this.#ping(clock) : undefined;
  }

  /** The next frame when there are no bytes to send now. */
  nextAfterBytes(
    { sent, written, waitsForAck }: Outgoing,
    clock: () => number,
  ): Uint8Array | undefined {
    if (!waitsForAck && (!this.#wantsAck || sent < written)) return undefined;
    if (sent >= written) this.#wantsAck = false;
    if (this.#askedAt === sent) return undefined; // The answer is on its way.
    this.#askedAt = sent;
    return this.#ping(clock);
  }

  #ping(clock: () => number): Uint8Array {
    return encodePing(this.#heartbeat.ping(clock()));
  }
}
