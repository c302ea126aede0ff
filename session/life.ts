/** A session's carrier and its end, as far as one follows from the other. */

import { notWorking } from "./faults.ts";
import type { CarrierState, Outcome } from "./outcome.ts";
import { encodeReset } from "./wire.ts";

/**
 * Whether a session is alive, and has a carrier.
 *
 * - It ends once: what ended it first is what it ends with.
 * - A session that is over keeps no carrier, but as long as its last word takes.
 */
export class Life {
  /** Whether there is a carrier, and both ends have greeted on it. */
  link: "detached" | "greeting" | "attached" = "detached";
  /** What is to be done with the carrier. */
  carrierState: CarrierState = "keep";
  /** Set once the session is over. */
  outcome: Outcome | undefined;
  /** What is to be said to a peer that may not know that the session is over. */
  lastWord: Uint8Array | undefined;

  /** There is a new carrier. */
  attach(): void {
    this.link = "greeting";
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

  /** The carrier is of no use any more. */
  drop(error: Error): void {
    this.carrierState = { error };
  }

  /** The carrier is not needed any more, when all is sent. */
  closeCarrier(): void {
    this.carrierState = "close";
  }

  /** The session is over in order. */
  close(lastWord?: Uint8Array): void {
    if (this.outcome !== undefined) return;
    this.outcome = { kind: "closed" };
    this.lastWord = lastWord;
    // A carrier that waits for its answer would wait for nothing.
    if (this.link === "greeting") this.drop(notWorking("the session is over"));
  }

  /** The session is over without a word. */
  lose(state: string, code: number, cause?: unknown): void {
    if (this.outcome !== undefined) return;
    this.outcome = { kind: "lost", state, code, cause };
    if (this.link !== "detached") this.drop(notWorking("the session is over"));
  }

  /** The session is over at once; the peer is told if it can be. */
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

  /** The RESET that is still to be sent on this carrier; who has got it need not hear it again. */
  nextReset(): Uint8Array | undefined {
    if (this.link !== "attached" || this.outcome?.kind !== "lost") return undefined;
    const reset = this.lastWord;
    this.lastWord = undefined;
    return reset;
  }
}
