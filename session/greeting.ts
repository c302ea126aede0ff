/** HELLO and WELCOME: docs/protocol.md, sections "Opening" and "Resuming". */

import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";
import { unexpected } from "./faults.ts";
import type { Incoming } from "./incoming.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import { encodeHello, encodeWelcome, FrameType, type Hello, type Welcome } from "./wire.ts";

/** How an end greets, and what both have agreed on by that, over all carriers. */
export class Greeting {
  /** Whether the next frame is the greeting. */
  isDue = false;
  /** When the peer's must have come; Infinity when it is not waited for. */
  deadline = Infinity;
  /** How often both went on with another carrier. */
  resumes = 0;
  /** How long a session without carrier is kept, in milliseconds: the smaller wish of both ends. */
  retentionTime: number;

  readonly #role: "client" | "server";
  readonly #options: ResolvedSessionOptions;
  readonly #in: Incoming;
  #id: string | undefined;
  /** The last HELLO that was sent, or taken. */
  #attempt = 0;
  /** Whether the client is known to know the id. */
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

  /** For how long this end waits for another carrier: not as long for a client that has no id. */
  get patience(): number {
    const isGhost = this.#role === "server" && !this.#isConfirmed;
    return Math.min(this.retentionTime, isGhost ? this.#options.helloTimeout : Infinity);
  }

  /**
   * Checks a HELLO before its carrier takes the place of another one.
   *
   * @throws {SessionProtocolError} when the client has greeted again meanwhile, and given this one up.
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

  /** There is none any more. */
  stop(): void {
    this.isDue = false;
    this.deadline = Infinity;
  }

  /** The frame that is due. It tells how much was received. */
  next(): Uint8Array {
    this.isDue = false;
    if (this.#role === "server") return this.#welcome(this.resumes > 0);
    const { received, limit } = this.#in;
    const { retentionTime } = this.#options;
    return encodeHello({ id: this.#id, received, limit, retentionTime, attempt: ++this.#attempt });
  }

  /** What a client that comes back is told by a server that has ended the session in order. */
  farewell(): Uint8Array {
    return this.#welcome(true);
  }

  #welcome(isResumed: boolean): Uint8Array {
    const { received, limit } = this.#in;
    const { retentionTime } = this;
    return encodeWelcome({ isResumed, id: this.#id!, received, limit, retentionTime });
  }

  /**
   * The peer has greeted: HELLO was checked before.
   *
   * @throws {SessionProtocolError} for the WELCOME of another session; nothing has changed then.
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

  /** The peer has said something after its greeting: it has got this end's. */
  confirm(): void {
    this.#isConfirmed = true;
  }

  /** Looks at the clock; returns, once, whether the peer's greeting is late. */
  isLate(now: number): boolean {
    if (now < this.deadline) return false;
    this.deadline = Infinity;
    return true;
  }
}
