/** PING and PONG: docs/protocol.md, sections "Bytes" and "Heartbeats". */

import type { Heartbeat } from "./heartbeat.ts";
import type { Outgoing } from "./outgoing.ts";
import { encodePing, encodePong } from "./wire.ts";

/** The PINGs that an end sends on a carrier, and its PONGs to the other end. */
export class Questions {
  readonly #heartbeat: Heartbeat;
  /** The token of the peer's last PING, if it is not answered yet. */
  #token: number | undefined;
  #wantsAck = false;
  /** The offset up to which bytes had been sent when the last PING asked for ACK. */
  #askedAt = -1;

  /** Asks for the heartbeat, and tells it when a PING leaves. */
  constructor(heartbeat: Heartbeat) {
    this.#heartbeat = heartbeat;
  }

  /** Whether the peer waits for PONG. ACK must be sent before it. */
  get isAsked(): boolean {
    return this.#token !== undefined;
  }

  /** There is no carrier any more, so nobody waits for answers. */
  stop(): void {
    this.#token = undefined;
    this.#wantsAck = false;
    this.#askedAt = -1;
  }

  /** A PING arrived. Of several PINGs, only the last one must be answered. */
  asked(token: number): void {
    this.#token = token;
  }

  /** Asks the peer for an acknowledgment as soon as everything is sent. */
  askForAck(): void {
    this.#wantsAck = true;
  }

  /** The next frame that goes before bytes of the stream. */
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
