/** Frames that many connections get in one turn of the event loop, without a call for each. */

import type { Framing } from "../codec.ts";
import type { Format } from "../format.ts";
import { MAX_SHARED_BYTES, type Run, runOf } from "./run.ts";
import type { Shared } from "./shared.ts";

const NO_FRAME = new Uint8Array(MAX_SHARED_BYTES + 1);

/**
 * Frames of one run, for outboxes that all get each of them until the turn ends. A frame is put here
 * once. The outboxes that travel along look here when they have to: when they are written, or get
 * something else. Then they leave, with what is here so far.
 */
export class Convoy<M extends object = object> {
  /** The framing of all members. */
  readonly framing: Framing;
  /** The block of the run, where the first frame begins in it, and the part that begins there. */
  readonly run: Uint8Array;
  readonly start: number;
  readonly block: Uint8Array;
  /** How many bytes and messages are here. */
  bytes: number;
  messages = 1;
  /** How many members travel along. */
  size = 0;
  readonly #run: Run;
  #left: M[] = [];
  #state: "open" | "full" | "closed" = "open";

  /** Begins with a frame, which is no longer than `MAX_SHARED_BYTES`. */
  constructor(framing: Framing, frame: Uint8Array) {
    this.framing = framing;
    this.#run = runOf(framing);
    this.#run.put(frame);
    this.start = this.#run.start;
    this.run = this.#run.block;
    this.block = this.run.subarray(this.start);
    this.bytes = frame.length;
  }

  /** Whether it was closed because the block has no space for the next frame. */
  get isFull(): boolean {
    return this.#state === "full";
  }

  /** Adds a frame for all members. If something else came between, it is closed and returns false. */
  put(frame: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    const space = this.block.length - this.bytes;
    this.#state = "closed";
    if (frame.length > MAX_SHARED_BYTES) return false;
    this.#run.put(frame);
    const { block, start } = this.#run;
    if (block === this.run && start === this.start + this.bytes) {
      this.bytes += frame.length;
      this.messages++;
      this.#state = "open";
      return true;
    }
    if (start === 0 && frame.length > space) this.#state = "full";
    return false;
  }

  /** A member joins, before a second frame is added. */
  join(): void {
    this.size++;
  }

  /** A member leaves. */
  leave(member: M): void {
    this.size--;
    if (this.#state === "open") this.#left.push(member);
  }

  /** The members that have left since the last call. */
  takeLeft(): readonly M[] {
    const left = this.#left;
    if (left.length > 0) this.#left = [];
    return left;
  }

  /** Adds nothing more. */
  close(): void {
    this.#state = "closed";
  }
}

/** The convoys of one turn, one for each format and framing. */
export class Convoys<T, M extends object> {
  readonly #all: { readonly format: Format<T>; convoy: Convoy<M> }[] = [];

  /**
   * The convoy of a connection, which begins with the message. Undefined if the message has no frame
   * that can be shared.
   */
  of(message: Shared<T>, format: Format<T>, framing: Framing): Convoy<M> | undefined {
    for (const { convoy, format: other } of this.#all) {
      if (convoy.framing === framing && other === format) return convoy;
    }
    const frame = frameOf(message, format, framing);
    if (frame.length > MAX_SHARED_BYTES) return undefined;
    const convoy = new Convoy<M>(framing, frame);
    this.#all.push({ format, convoy });
    return convoy;
  }

  /** Adds a message to all of them. Gives the ones that could not take it, which are not here any more. */
  put(message: Shared<T>): Convoy<M>[] {
    const closed: Convoy<M>[] = [];
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const { format, convoy } = this.#all[i];
      if (convoy.put(frameOf(message, format, convoy.framing))) continue;
      closed.push(convoy);
      this.#all.splice(i, 1);
    }
    return closed;
  }

  /** How many members travel along. */
  get size(): number {
    return this.#all.reduce((sum, { convoy }) => sum + convoy.size, 0);
  }

  /** The members that have left since the last call. */
  *takeLeft(): Iterable<M> {
    for (const { convoy } of this.#all) yield* convoy.takeLeft();
  }

  /** The turn is over. */
  close(): void {
    for (const { convoy } of this.#all) convoy.close();
    this.#all.length = 0;
  }
}

/** The frame of a message; if there is none, one that cannot be shared: each member refuses it then. */
function frameOf<T>(message: Shared<T>, format: Format<T>, framing: Framing): Uint8Array {
  try {
    return message.frame(format, framing);
  } catch {
    return NO_FRAME;
  }
}
