/** One carrier between two servers of a cluster, as a transport over the backplane. */

import { errors } from "../internal/runtime/errors.ts";
import type { Transport, TransportAbilities } from "../transport.ts";
import { Kind } from "./messages.ts";

/** How many bytes of one direction may be on their way, or wait to be read. */
const WINDOW_BYTES = 256 * 1024;
/** The reader tells how far it is after so many bytes. */
const CREDIT_BYTES = WINDOW_BYTES / 4;
/** The largest piece in one message of the backplane, unless that takes less. */
const MAX_PIECE_BYTES = 64 * 1024;

/** What a stream needs of the table of all streams. */
export interface StreamOwner {
  /** The largest body of a message. */
  readonly maxBytes: number;
  /** Says something to the other server. */
  say(kind: Kind, number: number, body?: Uint8Array): void;
  /** Resolves when the backplane takes more. */
  room(): Promise<void> | undefined;
  /** Nothing more is said, and nothing is listened to. */
  over(): void;
}

/**
 * Bytes in order, or the end of the stream: the backplane may lose messages, and then the stream breaks.
 * The session makes another carrier and goes on.
 */
export class RelayStream implements Transport {
  readonly abilities: TransportAbilities;
  readonly local = "";

  readonly #owner: StreamOwner;
  readonly #chunks: Uint8Array[] = [];
  #state: "open" | "broken" = "open";
  #isEnded = false;
  #isPeerEnded = false;
  /** Messages of each direction. */
  #said = 0;
  #heard = 0;
  /** Bytes that were written, and of these what the other end has read. */
  #written = 0;
  #credited = 0;
  /** Bytes that came, what of these was read, and how much of that was told. */
  #arrived = 0;
  #taken = 0;
  #told = 0;
  #change = Promise.withResolvers<void>();

  /** `remote` and `abilities` are those of the client. */
  constructor(owner: StreamOwner, readonly remote: string, abilities: TransportAbilities = {}) {
    this.#owner = owner;
    this.abilities = abilities;
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#state === "broken") throw new errors.ConnectionReset("the way to the server broke");
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#taken += chunk.length;
        if (this.#taken - this.#told >= CREDIT_BYTES) {
          this.#told = this.#taken;
          this.#owner.say(Kind.CREDIT, this.#taken);
        }
        return chunk;
      }
      if (this.#isPeerEnded) return undefined;
      await this.#change.promise;
    }
  }

  async write(chunk: Uint8Array): Promise<number> {
    while (this.#state === "open" && this.#written - this.#credited >= WINDOW_BYTES) {
      await this.#change.promise;
    }
    if (this.#state === "open") await this.#owner.room();
    if (this.#state !== "open" || this.#isEnded) throw new errors.BrokenPipe("broken pipe");
    const left = WINDOW_BYTES - (this.#written - this.#credited);
    const piece = chunk.subarray(0, Math.min(left, MAX_PIECE_BYTES, this.#owner.maxBytes));
    if (piece.length > 0) {
      this.#written += piece.length;
      this.#owner.say(Kind.DATA, ++this.#said, piece);
    }
    return piece.length;
  }

  closeWrite(): Promise<void> {
    if (this.#state === "open" && !this.#isEnded) {
      this.#isEnded = true;
      this.#owner.say(Kind.END, ++this.#said);
      this.#finishIfOver();
    }
    return Promise.resolve();
  }

  close(): void {
    if (this.#state === "broken") return;
    if (!this.#isEnded || !this.#isPeerEnded) this.#owner.say(Kind.ABORT, 0);
    this.break();
  }

  /** The other server, or the way to it, has gone. */
  break(): void {
    if (this.#state === "broken") return;
    const isOver = this.#isEnded && this.#isPeerEnded;
    this.#state = "broken";
    this.#chunks.length = 0;
    this.#changed();
    if (!isOver) this.#owner.over();
  }

  /** The other server has said something of this stream; or somebody who speaks like it. */
  hear(kind: Kind, number: number, body: Uint8Array): void {
    if (this.#state === "broken") return;
    if (kind === Kind.CREDIT) {
      if (number > this.#written) return this.close();
      this.#credited = Math.max(this.#credited, number);
      return this.#changed();
    }
    if (kind === Kind.ABORT) return this.break();
    // Something before it was lost, or it goes beyond what is allowed.
    const isNext = number === this.#heard + 1 && !this.#isPeerEnded;
    if (!isNext || this.#arrived + body.length - this.#taken > WINDOW_BYTES) return this.close();
    this.#heard++;
    if (kind === Kind.END) this.#isPeerEnded = true;
    else if (body.length > 0) {
      this.#arrived += body.length;
      this.#chunks.push(body);
    }
    this.#changed();
    this.#finishIfOver();
  }

  #finishIfOver(): void {
    if (this.#isEnded && this.#isPeerEnded) this.#owner.over();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
