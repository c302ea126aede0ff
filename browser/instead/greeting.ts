/** The greeting of a session in a page, which is always the client. */

import { unexpected } from "../../session/faults.ts";
import type { Incoming } from "../../session/incoming.ts";
import type { ResolvedSessionOptions } from "../../session/options.ts";
import { encodeHello, FrameType, type Hello, type Welcome } from "../../session/wire.ts";

/** As the whole of it, for a client. */
export class Greeting {
  isDue = false;
  deadline = Infinity;
  resumes = 0;
  retentionTime: number;

  readonly #options: ResolvedSessionOptions;
  readonly #in: Incoming;
  #id: string | undefined;
  #attempt = 0;

  /** Greets for the first time. */
  constructor(_role: "client" | "server", options: ResolvedSessionOptions, incoming: Incoming) {
    this.#options = options;
    this.#in = incoming;
    this.retentionTime = options.retentionTime;
  }

  /** How long the session is kept without a carrier. */
  get patience(): number {
    return this.retentionTime;
  }

  /** Nobody says HELLO to a client. */
  check(): void {}

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
    const { received, limit } = this.#in;
    const { retentionTime } = this.#options;
    return encodeHello({ id: this.#id, received, limit, retentionTime, attempt: ++this.#attempt });
  }

  /** A client has no farewell. */
  farewell(): undefined {}

  /** The server has greeted. */
  agree(peer: Hello | Welcome): void {
    const isResumed = peer.type === FrameType.WELCOME && peer.isResumed;
    if (isResumed !== (this.#id !== undefined) || peer.id !== (this.#id ?? peer.id)) {
      throw unexpected("it is of another session");
    }
    this.#id = peer.id;
    this.deadline = Infinity;
    if (isResumed) this.resumes++;
    this.retentionTime = Math.min(this.#options.retentionTime, peer.retentionTime);
  }

  /** A client need not know. */
  confirm(): void {}

  /** Whether the greeting is late. It is late only once. */
  isLate(now: number): boolean {
    if (now < this.deadline) return false;
    this.deadline = Infinity;
    return true;
  }
}
