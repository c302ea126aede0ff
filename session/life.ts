/** The states of a session and of its carrier, where one depends on the other. */

import { notWorking } from "./faults.ts";
import type { CarrierState, Outcome } from "./outcome.ts";
import { encodeReset } from "./wire.ts";

/**
 * Whether a session is alive, and has a carrier.
 *
 * - It ends once. The first reason to end is the reason that counts.
 * - A session that is over keeps its carrier only until its last frame is sent.
 */
export class Life {
  /** Whether there is a carrier, and whether both ends have greeted on it. */
  link: "detached" | "greeting" | "attached" = "detached";
  /** What the driver must do with the carrier. */
  carrierState: CarrierState = "keep";
  /** Set once the session is over. */
  outcome: Outcome | undefined;
  /** The frame for a peer that may not know that the session is over. */
  lastWord: Uint8Array | undefined;
  /** Whether the carrier goes to another server than the one that opened the session. */
  isElsewhere = false;

  /** There is a new carrier. */
  attach(isElsewhere: boolean): void {
    this.link = "greeting";
    this.isElsewhere = isElsewhere;
  }

  /** Both ends have greeted. */
  greeted(): void {
    this.link = "attached";
  }

  /** There is no carrier any more. */
  detach(): void {
    this.link = "detached";
    this.carrierState = "keep";
  }

  /** The carrier cannot be used any more. */
  drop(error: Error): void {
    this.carrierState = { error };
  }

  /** The carrier is not needed any more after everything is sent. */
  closeCarrier(): void {
    this.carrierState = "close";
  }

  /** The session ends in order. */
  close(lastWord?: Uint8Array): void {
    if (this.outcome !== undefined) return;
    this.outcome = { kind: "closed" };
    this.lastWord = lastWord;
    // Otherwise the carrier would wait for a greeting that does not matter any more.
    if (this.link === "greeting") this.drop(notWorking("the session is over"));
  }

  /** The session ends, and the peer is not told. */
  lose(state: string, code: number, cause?: unknown): void {
    if (this.outcome !== undefined) return;
    this.outcome = { kind: "lost", state, code, cause };
    if (this.link !== "detached") this.drop(notWorking("the session is over"));
  }

  /** The session ends at once. The peer is told if that is possible. */
  abort(code: number, text: string, cause?: unknown): void {
    if (this.outcome !== undefined) return;
    this.lastWord = encodeReset(code, text);
    this.lose(text, code, cause);
    if (this.link === "attached") this.closeCarrier();
  }

  /** The peer has ended the session. */
  wasReset(code: number, text: string): void {
    this.lose(`the peer ended it: ${text}`, code);
    this.closeCarrier();
  }

  /** The RESET that must still be sent on this carrier. It is sent only once. */
  nextReset(): Uint8Array | undefined {
    if (this.link !== "attached" || this.outcome?.kind !== "lost") return undefined;
    const reset = this.lastWord;
    this.lastWord = undefined;
    return reset;
  }
}
