/** The sending half of a connection in a page: the browser has the memory, so that frames just wait. */

import { Deque } from "@std/data-structures";
import type { Framing } from "../../codec.ts";
import { notBytes, tooSlow, writeExpired, writeFailed } from "../../connection/failures.ts";
import type { ResolvedLimits } from "../../connection/limits.ts";
import type { SenderOwner } from "../../connection/owners.ts";
import { joined } from "../../connection/raw.ts";
import type { ConnectionSettings } from "../../connection/settings.ts";
import type { LengthwiseError } from "../../errors.ts";
import { handledResolvers } from "../../internal/handled.ts";
import { BLOCK_BYTES } from "../../internal/memory.ts";
import { setImmediate } from "../../internal/runtime/immediate.ts";
import { Deadline } from "../../internal/time.ts";
import type { Transport } from "../../transport.ts";

/** The additional cost of a frame that stays apart. */
const FRAME_COST = 64;
/** A connection that has written nothing for so long is quiet, in milliseconds. */
const QUIET_TIME = 1;
const DONE: Promise<void> = Promise.resolve();

interface Waiting {
  readonly frame: Uint8Array;
  readonly messages: number;
}

/** Queues frames and writes them: at once where it is quiet, else at the end of the turn. */
export class Sender {
  messages = 0;
  dropped = 0;
  bytes = 0;
  /** How many bytes wait to be written. */
  pendingBytes = 0;
  readonly framing: Framing;
  readonly limits: ResolvedLimits;

  readonly #transport: Transport;
  readonly #owner: SenderOwner;
  readonly #queue = new Deque<Waiting>();
  readonly #deadline: Deadline;
  #state: "idle" | "scheduled" | "writing" | "stopped" = "idle";
  #wroteAt = -QUIET_TIME;
  /** How many bytes are being written. */
  #startedBytes = 0;
  #underWay: Promise<void> = DONE;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  /** Sends over a transport. */
  constructor(transport: Transport, settings: ConnectionSettings<unknown>, owner: SenderOwner) {
    const { framing, limits } = settings;
    this.#transport = transport;
    this.framing = framing;
    this.limits = limits;
    this.#owner = owner;
    this.#deadline = new Deadline(
      limits.writeTimeout,
      () => this.#fail(writeExpired(transport.remote, limits.writeTimeout)),
    );
  }

  /** Queues a message. Returns false if the slow-consumer policy drops it. */
  offer(message: Uint8Array, isText?: boolean): boolean {
    if (!(message instanceof Uint8Array)) throw notBytes(message);
    return this.offerFrame(this.framing.encode(message, isText));
  }

  /** As `offer()`, for a message that is a frame already. */
  offerFrame(frame: Uint8Array): boolean {
    const isTaken = !this.#isFull || this.#fits(frame.length);
    if (isTaken) this.#push({ frame, messages: 1 });
    return isTaken;
  }

  /** As `offer()`: in a page, nothing is sent from its place. */
  offerInPlace(message: Uint8Array): void {
    this.offer(message);
  }

  /** Queues the bytes that tell the peer that nothing more follows. */
  pushEnd(frame: Uint8Array): void {
    this.#push({ frame, messages: 0 });
  }

  #push(waiting: Waiting): void {
    this.#queue.pushBack(waiting);
    this.pendingBytes += waiting.frame.length;
    if (this.#isFull) this.flush();
    else if (this.#state === "idle") {
      this.#state = "scheduled";
      const isQuiet = performance.now() - this.#wroteAt >= QUIET_TIME;
      (isQuiet ? queueMicrotask : setImmediate)(() => this.#state === "scheduled" && this.flush());
    }
  }

  /** Whether nothing is written, and nothing waits for it. */
  get isQuiet(): boolean {
    return this.#state === "idle";
  }

  get #cost(): number {
    return this.pendingBytes + (this.framing.isApart ? FRAME_COST * this.#queue.length : 0);
  }

  /** Whether so much waits that `send()` should wait. */
  get #isFull(): boolean {
    return this.#cost >= this.limits.highWaterMark;
  }

  /** Resolves when the queue is below the high-water mark: at once, or later. */
  ready(): Promise<void> {
    return this.#isFull ? (this.#drained ??= handledResolvers<void>()).promise : DONE;
  }

  /** Starts to write, and writes until the queue is empty. */
  flush(): void {
    if (this.#state !== "writing" && this.#state !== "stopped") this.#underWay = this.#write();
  }

  /** Resolves when everything was written, or when nothing will be written any more. */
  flushed(): Promise<void> {
    if (this.pendingBytes === 0 || this.#isStopped()) return DONE;
    this.flush();
    return (this.#flushed ??= Promise.withResolvers<void>()).promise;
  }

  /** Resolves when no write is under way. */
  settled(): Promise<void> {
    return this.#underWay;
  }

  /** Ends. Queued messages are not written; sends that wait reject with the error. */
  stop(error: unknown): void {
    if (this.#isStopped()) return;
    this.#state = "stopped";
    this.#deadline.clear();
    this.#queue.clear();
    this.#drained?.reject(error);
    this.#flushed?.resolve();
  }

  async #write(): Promise<void> {
    this.#state = "writing";
    try {
      while (!this.#queue.isEmpty()) {
        const { frame, messages } = this.#next();
        this.#startedBytes = frame.length;
        while (this.#startedBytes > 0) {
          this.#wroteAt = this.#deadline.start();
          const bytes = await this.#transport.write(frame.subarray(-this.#startedBytes), true);
          this.bytes += bytes;
          this.pendingBytes -= bytes;
          this.#startedBytes -= bytes;
          if (this.#isStopped()) return;
        }
        this.messages += messages;
        if (this.#isFull) continue;
        this.#drained?.resolve();
        this.#drained = undefined;
      }
    } catch (cause) {
      if (!this.#isStopped()) this.#fail(writeFailed(this.#transport.remote, cause));
      return;
    }
    this.#deadline.stop();
    this.#state = "idle";
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  /** The next frame, or as many as fit in a block, where they need not stay apart. */
  #next(): Waiting {
    let { frame: { length }, messages } = this.#queue.peekFront()!;
    const frames = [this.#queue.popFront()!.frame];
    while (!this.framing.isApart && !this.#queue.isEmpty()) {
      const next = this.#queue.peekFront()!;
      length += next.frame.length;
      if (length > BLOCK_BYTES) break;
      messages += next.messages;
      frames.push(this.#queue.popFront()!.frame);
    }
    return { frame: joined(frames), messages };
  }

  #isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Whether a message may be queued above the high-water mark: the slow-consumer policy makes it fit. */
  #fits(bytes: number): boolean {
    const { slowConsumer, maxPendingBytes } = this.limits;
    const isOver = () => this.#cost + bytes > maxPendingBytes;
    if (!isOver()) return true;
    if (slowConsumer === "disconnect") {
      throw this.#fail(tooSlow(this.#transport.remote, this.pendingBytes, maxPendingBytes));
    }
    if (slowConsumer === "drop-newest" || this.#startedBytes + bytes > maxPendingBytes) {
      this.dropped++;
      return false;
    }
    while (isOver()) {
      const { frame, messages } = this.#queue.popFront()!;
      this.pendingBytes -= frame.length;
      this.dropped += messages;
    }
    return true;
  }

  #fail(error: LengthwiseError): LengthwiseError {
    this.stop(error);
    this.#owner.outputFailed(error);
    return error;
  }
}
