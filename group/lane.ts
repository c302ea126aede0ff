/**
 * A stream of bytes between a caller and a worker, over channels that may lose messages. What is lost ends
 * the lane; nothing comes twice, or in another order.
 */

import { errors } from "../internal/runtime/errors.ts";
import { Deque } from "@std/data-structures";
import { Deadline } from "../internal/time.ts";
import type { Transport, TransportAbilities } from "../transport.ts";
import { type Frame, FrameType } from "./frames.ts";

/** How many bytes may be on the way, each way: those that the other end has not taken. */
export const WINDOW_BYTES: number = 256 * 1024;
/** The largest frame, in bytes of its payload. */
const MAX_PAYLOAD_BYTES = 64 * 1024;
/** How long what was taken may stay unsaid, in milliseconds, if nothing is sent back anyway. */
const ACK_DELAY = 50;
/** A longer reason is cut, in bytes. */
const MAX_REASON_BYTES = 512;

const NONE: TransportAbilities = {};
const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

/** What a lane says: the parts of a frame that it knows. */
export type LaneFrame = Pick<Frame, "type" | "offset" | "taken" | "payload">;

/** The member of a group whose lane it is. */
export interface LaneOwner {
  /** The largest payload that its channel takes, in bytes. */
  readonly maxPayloadBytes: number;
  /** Sends a frame to the other end. */
  send(lane: Lane, frame: LaneFrame): void;
  /** The lane is over. */
  closed(lane: Lane): void;
}

/** One end of a lane. */
export class Lane implements Transport {
  readonly abilities: TransportAbilities = NONE;
  /** Whether the other end has refused it, before it took anything. */
  isRefused = false;
  /** Called when the other end has taken something. */
  progressed: (() => void) | undefined;

  readonly #owner: LaneOwner;
  readonly #maxBytes: number;
  readonly #chunks = new Deque<Uint8Array>();
  readonly #acknowledging = new Deadline(ACK_DELAY, () => this.#acknowledge(), {
    idle: true,
    patient: false,
  });
  #state: "open" | "closed" = "open";
  #failure: Error | undefined;
  #change = Promise.withResolvers<void>();
  /** Bytes of this end: sent, and taken by the other one. */
  #sent = 0;
  #taken = 0;
  /** Since when something was sent of which nothing was taken. */
  #waitingSince = Infinity;
  /** Bytes of the other end: arrived, taken, and said to be taken. */
  #arrived = 0;
  #read = 0;
  #said = 0;
  #hasSentEnd = false;
  #hasEnded = false;

  /** A lane to a member. The numbers of its own lanes are its caller's affair. */
  constructor(
    owner: LaneOwner,
    readonly peer: string,
    readonly number: number,
    readonly local: string,
    readonly remote: string,
  ) {
    this.#owner = owner;
    this.#maxBytes = Math.min(MAX_PAYLOAD_BYTES, owner.maxPayloadBytes);
  }

  /** How many bytes this end has sent. */
  get sentBytes(): number {
    return this.#sent;
  }

  /** How many of them the other end has taken. */
  get takenBytes(): number {
    return this.#taken;
  }

  /** Since when the other end has taken nothing of what it was sent; `Infinity` if it has taken all. */
  get waitingSince(): number {
    return this.#waitingSince;
  }

  /** The next chunk. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state === "closed") throw new errors.Interrupted("operation canceled");
      const chunk = this.#chunks.popFront();
      if (chunk !== undefined) {
        this.#read += chunk.length;
        if (this.#read - this.#said >= WINDOW_BYTES / 2) this.#acknowledge();
        else if (!this.#acknowledging.running) this.#acknowledging.start();
        return chunk;
      }
      if (this.#hasEnded) return undefined;
      await this.#change.promise;
    }
  }

  /** Sends as much of a chunk as the other end has room for. */
  async write(chunk: Uint8Array): Promise<number> {
    while (this.#isOpen() && this.#sent - this.#taken >= WINDOW_BYTES) await this.#change.promise;
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isOpen()) throw new errors.BrokenPipe("broken pipe");
    const room = Math.min(WINDOW_BYTES - (this.#sent - this.#taken), this.#maxBytes);
    const payload = chunk.subarray(0, room);
    if (payload.length === 0) return 0;
    if (this.#waitingSince === Infinity) this.#waitingSince = performance.now();
    const offset = this.#sent;
    this.#sent += payload.length;
    this.#send(FrameType.data, payload, offset);
    return payload.length;
  }

  /** Says that nothing follows. */
  closeWrite(): Promise<void> {
    if (this.#isOpen() && !this.#hasSentEnd) {
      this.#hasSentEnd = true;
      this.#send(FrameType.end);
    }
    return Promise.resolve();
  }

  /** Ends it. The other end is told, unless both have ended. */
  close(error?: unknown): void {
    if (this.#state === "closed") return;
    if (this.#failure === undefined && !(this.#hasSentEnd && this.#hasEnded)) {
      const text = error instanceof Error ? error.message : "it was given up";
      this.#send(FrameType.reset, encoder.encode(text).subarray(0, MAX_REASON_BYTES));
    }
    this.#over();
  }

  /** It cannot go on. Whoever reads gets the error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#over();
  }

  /** A frame of the other end has come. Returns false if it does not fit. */
  take({ type, offset, taken, payload }: Frame): boolean {
    if (this.#state === "closed") return true;
    if (taken > this.#sent) return false;
    if (taken > this.#taken) this.#progress(taken);
    switch (type) {
      case FrameType.data:
        if (offset < this.#arrived) return true; // It has come before.
        if (offset > this.#arrived) this.#gap();
        else return this.#arrive(payload);
        return true;
      case FrameType.end:
        if (offset > this.#arrived) this.#gap();
        this.#hasEnded = true;
        this.#changed();
        return true;
      default: // ACK says no more; RESET and REFUSE are for the owner.
        return true;
    }
  }

  #arrive(payload: Uint8Array): boolean {
    if (payload.length === 0 || this.#arrived + payload.length - this.#said > WINDOW_BYTES) {
      return false;
    }
    this.#arrived += payload.length;
    this.#chunks.pushBack(payload);
    this.#changed();
    return true;
  }

  #progress(taken: number): void {
    this.#taken = taken;
    this.#waitingSince = taken === this.#sent ? Infinity : performance.now();
    this.#changed();
    this.progressed?.();
  }

  #gap(): void {
    const error = new Error("messages between hubs were lost");
    this.#send(FrameType.reset, encoder.encode(error.message));
    this.fail(error);
  }

  #acknowledge(): void {
    if (this.#isOpen() && this.#read > this.#said) this.#send(FrameType.ack);
  }

  #send(type: number, payload: Uint8Array = NOTHING, offset: number = this.#sent): void {
    this.#said = this.#read;
    this.#acknowledging.stop();
    this.#owner.send(this, { type, offset, taken: this.#read, payload });
  }

  #isOpen(): boolean {
    return this.#state === "open";
  }

  #over(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#acknowledging.clear();
    this.#chunks.clear();
    this.#waitingSince = Infinity;
    this.#changed();
    this.#owner.closed(this);
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}
