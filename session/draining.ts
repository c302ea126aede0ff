/** DRAIN: docs/protocol.md, section "The end". */

import { unexpected } from "./faults.ts";
import { encodeDrain } from "./wire.ts";

/** A server's wish that its client goes elsewhere, told on each carrier. */
export class Draining {
  /** Why, in the server's words; undefined as long as it does not want that. */
  reason: string | undefined;

  readonly #role: "client" | "server";
  /** Whether the client is still to be told on this carrier. */
  #isDue = false;

  /** Only a server has such wishes. */
  constructor(role: "client" | "server") {
    this.#role = role;
  }

  /** There is a new carrier. */
  start(): void {
    this.#isDue = this.reason !== undefined && this.#role === "server";
  }

  /** There is none any more. */
  stop(): void {
    this.#isDue = false;
  }

  /**
   * Tells the other end to go elsewhere.
   *
   * @throws {TypeError} on a client, which has nobody to send elsewhere.
   */
  tell(reason: string): void {
    if (this.#role === "client") throw new TypeError("Cannot drain session: only a server can");
    this.reason = reason;
    this.#isDue = true;
  }

  /**
   * The other end tells this one.
   *
   * @throws {SessionProtocolError} on a server.
   */
  told(reason: string): void {
    if (this.#role === "server") throw unexpected("it is a server that sends clients elsewhere");
    this.reason = reason;
  }

  /** The next frame of it, if there is one. */
  next(): Uint8Array | undefined {
    if (!this.#isDue) return undefined;
    this.#isDue = false;
    return encodeDrain(this.reason!);
  }
}
