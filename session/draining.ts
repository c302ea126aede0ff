/** DRAIN: docs/protocol.md, section "The end". */

import { unexpected } from "./faults.ts";
import { encodeDrain } from "./wire.ts";

/** A server's wish that its client opens another session elsewhere. It is sent on each carrier. */
export class Draining {
  /** The reason, in the server's words; undefined while the server does not want it. */
  reason: string | undefined;

  readonly #role: "client" | "server";
  /** Whether DRAIN must still be sent on this carrier. */
  #isDue = false;

  /** Only a server can send DRAIN. */
  constructor(role: "client" | "server") {
    this.#role = role;
  }

  /** There is a new carrier. */
  start(): void {
    this.#isDue = this.reason !== undefined && this.#role === "server";
  }

  /** There is no carrier any more. */
  stop(): void {
    this.#isDue = false;
  }

  /**
   * Asks the client to open another session elsewhere.
   *
   * @throws {TypeError} on a client, which has nobody to send elsewhere.
   */
  tell(reason: string): void {
    if (this.#role === "client") throw new TypeError("Cannot drain session: only a server can");
    this.reason = reason;
    this.#isDue = true;
  }

  /**
   * A DRAIN arrived.
   *
   * @throws {SessionProtocolError} on a server.
   */
  told(reason: string): void {
    if (this.#role === "server") throw unexpected("it is a server that sends clients elsewhere");
    this.reason = reason;
  }

  /** The DRAIN to send, if there is one. */
  next(): Uint8Array | undefined {
    if (!this.#isDue) return undefined;
    this.#isDue = false;
    return encodeDrain(this.reason!);
  }
}
