/** HELLO and WELCOME: docs/protocol.md, sections "Opening" and "Resuming". */

import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";
import { unexpected } from "./faults.ts";
import type { Incoming } from "./incoming.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import { encodeHello, encodeWelcome, FrameType, type Hello, type Welcome } from "./wire.ts";

/**
 * How an end greets, and what both ends have agreed on by greeting. It is kept over all carriers.
 */
export class Greeting {
  /** Whether the next frame to send is the greeting. */
  isDue = false;
  /** When the peer's greeting must have come; Infinity if this end does not wait for it. */
  deadline = Infinity;
  /** How often both ends continued with another carrier. */
  resumes = 0;
  /**
   * How long a session without a carrier is kept, in milliseconds: the smaller value of both ends.
   */
  retentionTime: number;

  readonly #role: "client" | "server";
  readonly #options: ResolvedSessionOptions;
  readonly #in: Incoming;
  #id: string | undefined;
  /** The attempt of the last HELLO that was sent, or accepted. */
  #attempt = 0;
  /** Whether it is certain that the client knows the id. */
  #isConfirmed = false;

  /** A server gives the id; a client has none before the first WELCOME. */
  constructor(
    role: "client" | "server",
    options: ResolvedSessionOptions,
    incoming: Incoming,
    id: string | undefined,
  ) {
    this.#role = role;
    this.#options = options;
    this.#in = incoming;
    this.#id = id;
    this.retentionTime = options.retentionTime;
  }

  /**
   * How long this end waits for another carrier, in milliseconds. It waits less for a client that
   * may not know the id.
   */
  get patience(): number {
    const isGhost = this.#role === "server" && !this.#isConfirmed;
    return Math.min(this.retentionTime, isGhost ? this.#options.helloTimeout : Infinity);
  }

  /**
   * Checks a HELLO before its carrier takes the place of another one.
   *
   * @throws {SessionProtocolError} when the client has made a later attempt, and has given this
   * carrier up.
   */
  check({ attempt }: Hello): void {
    if (attempt > this.#attempt) return;
    throw new SessionProtocolError(
      `Cannot take carrier in: it is attempt ${attempt}, and attempt ${this.#attempt} came before`,
      SessionCode.STALE,
    );
  }

  /** There is a new carrier. */
  start(now: number): void {
    this.isDue = true;
    this.deadline = now + this.#options.helloTimeout;
  }

  /** There is no carrier any more. */
  stop(): void {
    this.isDue = false;
    this.deadline = Infinity;
  }

  /** The greeting to send. It says how much was received. */
  next(): Uint8Array {
    this.isDue = false;
    if (this.#role === "server") return this.#welcome(this.resumes > 0);
    const { received, limit } = this.#in;
    const { retentionTime } = this.#options;
    return encodeHello({ id: this.#id, received, limit, retentionTime, attempt: ++this.#attempt });
  }

  /** The answer to a client that comes back after the server has ended the session in order. */
  farewell(): Uint8Array {
    return this.#welcome(true);
  }

  #welcome(isResumed: boolean): Uint8Array {
    const { received, limit } = this.#in;
    const { retentionTime } = this;
    return encodeWelcome({ isResumed, id: this.#id!, received, limit, retentionTime });
  }

  /**
   * The peer has greeted. A HELLO was checked before.
   *
   * @throws {SessionProtocolError} for the WELCOME of another session. Then nothing changes.
   */
  agree(peer: Hello | Welcome): void {
    const isResumed = peer.type === FrameType.HELLO ? peer.id !== undefined : peer.isResumed;
    if (peer.type === FrameType.HELLO) this.#attempt = peer.attempt;
    else {
      if (isResumed !== (this.#id !== undefined) || peer.id !== (this.#id ?? peer.id)) {
        throw unexpected("it is of another session");
      }
      this.#id = peer.id;
    }
    this.deadline = Infinity;
    if (isResumed) this.resumes++;
    this.retentionTime = Math.min(this.#options.retentionTime, peer.retentionTime);
  }

  /** The peer has sent a frame after its greeting. So it has received this end's greeting. */
  confirm(): void {
    this.#isConfirmed = true;
  }

  /** Looks at the clock; returns true once if the peer's greeting is late. */
  isLate(now: number): boolean {
    if (now < this.deadline) return false;
    this.deadline = Infinity;
    return true;
  }
}
