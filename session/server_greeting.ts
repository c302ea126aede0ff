/** How a server greets. */

import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";
import { Greeting } from "./greeting.ts";
import { encodeWelcome, type Hello, type Welcome } from "./wire.ts";

/** How a server greets, by WELCOME. It gave the session its id. */
export class ServerGreeting extends Greeting {
  /** Whether it is certain that the client knows the id. */
  #isConfirmed = false;

  /** It waits less for a client that may not know the id. */
  override get patience(): number {
    const { retentionTime, options: { helloTimeout } } = this;
    return this.#isConfirmed ? retentionTime : Math.min(retentionTime, helloTimeout);
  }

  /**
   * @throws {SessionProtocolError} when the client has made a later attempt, and has given this
   * carrier up.
   */
  override check({ attempt }: Hello): void {
    if (attempt > this.attempt) return;
    throw new SessionProtocolError(
      `Cannot take carrier in: it is attempt ${attempt}, and attempt ${this.attempt} came before`,
      SessionCode.STALE,
    );
  }

  override next(): Uint8Array {
    this.isDue = false;
    return this.#welcome(this.resumes > 0);
  }

  override farewell(): Uint8Array {
    return this.#welcome(true);
  }

  #welcome(isResumed: boolean): Uint8Array {
    const { id, retentionTime, in: { received, limit } } = this;
    return encodeWelcome({ isResumed, id: id!, received, limit, retentionTime });
  }

  override agree(peer: Hello | Welcome): void {
    this.attempt = (peer as Hello).attempt;
    this.agreed(peer, peer.id !== undefined);
  }

  override confirm(): void {
    this.#isConfirmed = true;
  }
}
