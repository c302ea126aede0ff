/** The sending half of a connection: the outbox, flushing, and waiting for a slow peer. */

import type { Framing } from "../codec.ts";
import type { LengthwiseError } from "../errors.ts";
import type { Format } from "../format.ts";
import { handledResolvers } from "../internal/handled.ts";
import type { Memory } from "../internal/memory.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import type { Convoy, Convoys } from "./convoy.ts";
import { notBytes, tooSlow, writeExpired, writeFailed } from "./failures.ts";
import { flushAtOnce, flushNow, flushSoon } from "./flush.ts";
import { frameInPlace } from "./in_place.ts";
import type { ResolvedLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { SenderOwner } from "./owners.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Shared } from "./shared.ts";

/** After this many chunks were read, queued messages are written. */
const MAX_CHUNKS_WAITED = 16;
/** A connection that has written nothing for so long is quiet, in milliseconds. */
const QUIET_TIME = 1;
const DONE: Promise<void> = Promise.resolve();

/**
 * Queues messages and writes them. On a quiet connection, a message leaves at once. It is quiet when the
 * peer has sent a single message since the last write, or nothing was written for a millisecond and no
 * burst is being answered. What is sent on others in one turn of the event loop leaves in one write.
 */
export class Sender {
  messages = 0;
  dropped = 0;
  bytes = 0;

  readonly #transport: Transport;
  /** The framing of the next message. */
  framing: Framing;
  readonly #format: Format<unknown>;
  readonly limits: ResolvedLimits;
  readonly #owner: SenderOwner;
  readonly #outbox: Outbox;
  /** Created for the first write. */
  #deadline: Deadline | undefined;
  #state: "idle" | "at once" | "scheduled" | "writing" | "stopped" = "idle";
  #underWay: Promise<void> = DONE;
  /** How many chunks were read since messages wait for the end of the turn. */
  #chunksWaited = 0;
  /** What the peer has sent since the last write. "many" until its reader has read them all. */
  #heard: "nothing" | "one" | "many" = "nothing";
  #wroteAt = -QUIET_TIME;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  constructor(transport: Transport, settings: ConnectionSettings<unknown>, owner: SenderOwner) {
    const { framing, format, limits } = settings;
    this.#transport = transport;
    this.framing = framing;
    this.#format = format;
    this.limits = limits;
    this.#owner = owner;
    this.#outbox = new Outbox(framing, transport.abilities.blocks);
  }

  /** Frames messages by another framing from now on. What waits was framed already. */
  switchTo(framing: Framing): void {
    this.framing = framing;
    this.#outbox.useFraming(framing);
  }

  /** How many bytes wait to be written. */
  get pendingBytes(): number {
    return this.#outbox.bytes;
  }

  /**
   * Queues a message. Returns false if the slow-consumer policy drops it.
   *
   * @throws {ProtocolError} if the framing cannot express the message.
   * @throws {SlowConsumerError} if too much waits already, and the policy is to disconnect.
   */
  offer(message: Uint8Array, isText?: boolean): boolean {
    if (!(message instanceof Uint8Array)) throw notBytes(message);
    const frameBytes = this.framing.frameBytes(message);
    if (frameBytes === 0 && !this.framing.isApart) return true;
    if (!this.#admits(frameBytes)) return false;
    this.#outbox.push(message, frameBytes, isText);
    this.#messageQueued();
    return true;
  }

  /** As `offer()`, for a message that is a frame already. */
  offerFrame(frame: Uint8Array): boolean {
    if (!this.#admits(frame.length)) return false;
    this.#outbox.pushFrame(frame);
    this.#messageQueued();
    return true;
  }

  /**
   * Gets the frames of a convoy from now on, which begins with a message, until it gets something else
   * or the turn ends. Returns false if the peer does not keep up: then the limits may hold for it.
   */
  joinConvoy<T, M extends object>(
    convoys: Convoys<T, M>,
    message: Shared<T>,
    traveller: M,
  ): boolean {
    if (!this.#owner.isOpen || this.framing.after !== undefined) return false;
    const convoy = convoys.of(message, this.#format as Format<T>, this.framing);
    if (convoy === undefined) return false;
    const { maxPendingBytes } = this.limits;
    if (this.isHigh || this.#outbox.cost + convoy.run.length > maxPendingBytes) return false;
    if (!this.#outbox.joinConvoy(convoy, traveller)) return false;
    // Not at once: the frames of this turn are still to come.
    if (this.isHigh) this.flush();
    else if (this.#state === "idle") this.#scheduleForTurnEnd();
    return true;
  }

  /** Whether it travels along with this convoy. */
  isIn(convoy: Convoy): boolean {
    return this.#outbox.isIn(convoy);
  }

  /** Leaves its convoy, if it has one. */
  leaveConvoy(): void {
    this.#outbox.leaveConvoy();
  }

  /**
   * As `offer()`, but does not copy the message if there is enough free memory before it for the header
   * of its frame. The message goes back to `memory` when it was copied, written or dropped.
   */
  offerInPlace(message: Uint8Array, memory: Memory): void {
    const frame = this.#outbox.keeps ? undefined : frameInPlace(message, this.framing);
    if (frame !== undefined && this.#admits(frame.length)) {
      this.#outbox.pushRaw(frame, 1, memory);
      return this.#messageQueued();
    }
    if (frame === undefined) this.offer(message);
    memory.recycle(message);
  }

  /**
   * Queues bytes that are not a message. Drops them while the peer is slow: they are not important.
   * Returns whether they were queued.
   */
  offerRaw(bytes: Uint8Array): boolean {
    if (this.isHigh) return false;
    this.pushEnd(bytes);
    return true;
  }

  /**
   * Queues an answer that is not a message. If too much waits then, gives a promise that resolves when
   * the peer has taken enough.
   */
  answer(bytes: Uint8Array): Promise<void> | undefined {
    this.pushEnd(bytes);
    return this.#isFull() ? this.ready() : undefined;
  }

  /** Queues the bytes that tell the peer that nothing more follows. */
  pushEnd(bytes: Uint8Array): void {
    this.#outbox.pushRaw(bytes);
    this.#schedule();
  }

  /** Whether nothing is written, and nothing waits for it. */
  get isQuiet(): boolean {
    return this.#state === "idle" && this.#outbox.isEmpty;
  }

  /** Whether so much waits that `send()` should wait. */
  get isHigh(): boolean {
    return this.#outbox.cost >= this.limits.highWaterMark;
  }

  /** The same where the convoy was left. Short, as all that runs for each message. */
  #isFull(): boolean {
    return this.#outbox.ownCost >= this.limits.highWaterMark;
  }

  /** Whether a message may be queued, behind what the convoy has so far. */
  #admits(frameBytes: number): boolean {
    this.#outbox.leaveConvoy();
    return !this.#isFull() || this.#fits(frameBytes);
  }

  /** A message waits to be written. The next one may have another framing. */
  #messageQueued(): void {
    if (this.framing.after !== undefined) this.switchTo(this.framing.after(1));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isFull()) this.flush();
    else if (this.#state === "idle") this.#scheduleFirst();
  }

  #scheduleFirst(): void {
    const isQuiet = this.#heard === "one" ||
      this.#heard === "nothing" && performance.now() - this.#wroteAt >= QUIET_TIME;
    if (!isQuiet) return this.#scheduleForTurnEnd();
    this.#state = "at once";
    flushAtOnce(this);
  }

  #scheduleForTurnEnd(): void {
    this.#state = "scheduled";
    flushSoon(this);
  }

  /** Resolves when the queue is below the high-water mark: at once, or later. */
  ready(): Promise<void> {
    return this.#isFull() ? (this.#drained ??= handledResolvers<void>()).promise : DONE;
  }

  /** Whether queued messages wait for `flush()`. */
  get scheduled(): boolean {
    return this.#state === "scheduled" || this.#state === "at once";
  }

  /** A reader that has read everything will probably send no more in this turn: writes now. */
  readerWaits(): void {
    if (this.#heard === "many") this.#heard = "nothing";
    if (this.#state === "scheduled") flushNow(this);
  }

  /**
   * While a socket always has data, reads complete at once and the turn of the event loop does not
   * end. Then queued messages are written after some chunks. Not after each chunk: the writes would
   * be small.
   */
  chunkTaken(messages: number): void {
    if (messages > 0) this.#heard = messages === 1 ? "one" : "many";
    if (this.#state !== "scheduled") this.#chunksWaited = 0;
    else if (++this.#chunksWaited > MAX_CHUNKS_WAITED) {
      this.#chunksWaited = 0;
      flushNow(this);
    }
  }

  /** Starts to write, and writes until the queue is empty. */
  flush(): void {
    if (this.#state !== "writing" && this.#state !== "stopped") this.#underWay = this.#write();
  }

  /** Resolves when everything was written, or when nothing will be written any more. */
  flushed(): Promise<void> {
    if (this.#outbox.isEmpty || this.#state === "stopped") return DONE;
    this.flush();
    return (this.#flushed ??= Promise.withResolvers<void>()).promise;
  }

  /**
   * Resolves when no write is under way. After the transport is closed, `pendingBytes` is then
   * final.
   */
  settled(): Promise<void> {
    return this.#underWay;
  }

  /** Ends. Queued messages are not written; sends that wait reject with the error. */
  stop(error: unknown): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#deadline?.clear();
    this.#outbox.release();
    this.#drained?.reject(error);
    this.#flushed?.resolve();
  }

  async #write(): Promise<void> {
    const isAtOnce = this.#state === "at once";
    this.#state = "writing";
    this.#heard = "nothing";
    const deadline = this.#deadline ??= new Deadline(
      this.limits.writeTimeout,
      () => this.#fail(writeExpired(this.#transport.remote, this.limits.writeTimeout)),
    );
    try {
      for (let chunk = this.#outbox.peek(); chunk !== undefined; chunk = this.#outbox.peek()) {
        this.#wroteAt = deadline.start();
        const bytes = await this.#transport.write(chunk, this.#outbox.endsMessage);
        if (this.#isStopped()) {
          this.#outbox.wroteAfterRelease(bytes);
          this.bytes += bytes;
          return;
        }
        this.messages += this.#outbox.advance(bytes);
        this.bytes += bytes;
        let gathers = isAtOnce;
        if (this.#drained !== undefined && !this.isHigh) {
          this.#drained.resolve();
          this.#drained = undefined;
          gathers = true;
        }
        // The waiting senders resume now, and a burst goes on after its first message. What is left
        // waits for these messages, to join one write.
        if (gathers && this.#flushed === undefined && !this.#outbox.isEmpty && !this.isHigh) {
          deadline.stop();
          this.#scheduleForTurnEnd();
          return;
        }
      }
    } catch (cause) {
      if (this.#isStopped()) return;
      this.#fail(writeFailed(this.#transport.remote, cause));
      return;
    }
    deadline.stop();
    this.#state = "idle";
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  #isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Whether a message may be queued above the high-water mark: the slow-consumer policy makes it fit. */
  #fits(frameBytes: number): boolean {
    const { slowConsumer, maxPendingBytes } = this.limits;
    if (this.#outbox.cost + frameBytes <= maxPendingBytes) return true;
    if (slowConsumer === "disconnect") {
      throw this.#fail(tooSlow(this.#transport.remote, this.#outbox.bytes, maxPendingBytes));
    }
    if (
      slowConsumer === "drop-newest" || this.#outbox.startedCost + frameBytes > maxPendingBytes
    ) {
      this.dropped++;
      return false;
    }
    while (this.#outbox.cost + frameBytes > maxPendingBytes) {
      this.dropped += this.#outbox.dropOldest();
    }
    return true;
  }

  #fail(error: LengthwiseError): LengthwiseError {
    this.stop(error);
    this.#owner.outputFailed(error);
    return error;
  }
}
