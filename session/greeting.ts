/** HELLO and WELCOME: docs/protocol.md, sections "Opening" and "Resuming". */

import { unexpected } from "./faults.ts";
import type { Incoming } from "./incoming.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import { encodeHello, FrameType, type Hello, type Welcome } from "./wire.ts";

/**
 * How a client greets, and what both ends have agreed on by greeting. It is kept over all carriers.
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

  protected readonly options: ResolvedSessionOptions;
  protected readonly in: Incoming;
  /** A client has none before the first WELCOME. */
  protected id: string | undefined;
  /** The attempt of the last HELLO that was sent, or accepted. */
  protected attempt = 0;

  /** A server gives the id. */
  constructor(options: ResolvedSessionOptions, incoming: Incoming, id?: string) {
    this.options = options;
    this.in = incoming;
    this.id = id;
    this.retentionTime = options.retentionTime;
  }

  /** How long this end waits for another carrier, in milliseconds. */
  get patience(): number {
    return this.retentionTime;
  }

  /** Checks a HELLO before its carrier takes the place of another one. No client gets one. */
  check(_hello: Hello): void {}

  /** There is a new carrier. */
  start(now: number): void {
    this.isDue = true;
    this.deadline = now + this.options.helloTimeout;
  }

  /** There is no carrier any more. */
  stop(): void {
    this.isDue = false;
    this.deadline = Infinity;
  }

  /** The greeting to send. It says how much was received. */
  next(): Uint8Array {
    this.isDue = false;
    const { received, limit } = this.in;
    const { retentionTime } = this.options;
    return encodeHello({ id: this.id, received, limit, retentionTime, attempt: ++this.attempt });
  }

  /** The answer to a client that comes back after the session has ended in order. */
  farewell(): Uint8Array | undefined {
    return undefined;
  }

  /**
   * The peer has greeted. A HELLO was checked before.
   *
   * @throws {SessionProtocolError} for the WELCOME of another session. Then nothing changes.
   */
  agree(peer: Hello | Welcome): void {
    const isResumed = peer.type === FrameType.WELCOME && peer.isResumed;
    if (isResumed !== (this.id !== undefined) || peer.id !== (this.id ?? peer.id)) {
      throw unexpected("it is of another session");
    }
    this.id = peer.id;
    this.agreed(peer, isResumed);
  }

  /** Both ends know each other's times now. */
  protected agreed(peer: Hello | Welcome, isResumed: boolean): void {
    this.deadline = Infinity;
    if (isResumed) this.resumes++;
    this.retentionTime = Math.min(this.options.retentionTime, peer.retentionTime);
  }

  /** The peer has sent a frame after its greeting. So it has received this end's greeting. */
  confirm(): void {}

  /** Looks at the clock; returns true once if the peer's greeting is late. */
  isLate(now: number): boolean {
    if (now < this.deadline) return false;
    this.deadline = Infinity;
    return true;
  }
}
