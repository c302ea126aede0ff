/** The sending half of a connection: the outbox, flushing, and waiting for a slow peer. */

import type { Framing } from "../codec.ts";
import { ConnectionLostError, type LengthwiseError, SlowConsumerError } from "../errors.ts";
import { handledResolvers } from "../internal/handled.ts";
import type { Memory } from "../internal/memory.ts";
import { reasonOf } from "../internal/reason.ts";
import { Deadline, deadlineOf } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import type { Convoy } from "./convoy.ts";
import { flushNow, flushSoon } from "./flush.ts";
import type { ResolvedLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { ConnectionSettings } from "./settings.ts";

/** The owner of a sender. It is told if sending fails. */
export interface SenderOwner {
  /** The stream broke, or the peer reads too slowly. */
  outputFailed(error: LengthwiseError): void;
}

/** After this many chunks were read, queued messages are written. */
const MAX_CHUNKS_WAITED = 16;
const DONE: Promise<void> = Promise.resolve();
/** How long the last word to a peer may take, in milliseconds. */
const LAST_WORD_TIMEOUT = 1_000;

/** Queues messages and writes them, many per write. */
export class Sender {
  messages = 0;
  dropped = 0;
  bytes = 0;

  readonly #transport: Transport;
  /** The framing of the next message. */
  framing: Framing;
  readonly #limits: ResolvedLimits;
  readonly #owner: SenderOwner;
  readonly #outbox: Outbox;
  /** Created for the first write. */
  #deadline: Deadline | undefined;
  #state: "idle" | "scheduled" | "writing" | "stopped" = "idle";
  #underWay: Promise<void> = DONE;
  /** How many chunks were read since messages wait for the end of the turn. */
  #chunksWaited = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  constructor(transport: Transport, settings: ConnectionSettings<unknown>, owner: SenderOwner) {
    const { framing, limits } = settings;
    this.#transport = transport;
    this.framing = framing;
    this.#limits = limits;
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
    if (!(message instanceof Uint8Array)) {
      throw new TypeError(`Cannot send ${typeof message}: it must be a Uint8Array or a string`);
    }
    const frameBytes = this.framing.frameBytes(message);
    if (frameBytes === 0 && !this.framing.isApart) return true;
    if (this.#isHigh() && !this.#fits(frameBytes)) return false;
    this.#outbox.push(message, frameBytes, isText);
    this.#messageQueued();
    return true;
  }

  /** As `offer()`, for a message that is a frame already. */
  offerFrame(frame: Uint8Array): boolean {
    if (this.#isHigh() && !this.#fits(frame.length)) return false;
    this.#outbox.pushFrame(frame);
    this.#messageQueued();
    return true;
  }

  /**
   * Gets the frames of a convoy from now on, until it gets something else or the turn ends. Returns
   * false if the peer does not keep up: then the limits may hold for it.
   */
  joinConvoy(convoy: Convoy, traveller: object): boolean {
    const { maxPendingBytes } = this.#limits;
    if (this.#isHigh() || this.#outbox.cost + convoy.run.length > maxPendingBytes) return false;
    if (!this.#outbox.joinConvoy(convoy, traveller)) return false;
    this.#schedule();
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
    if (frame === undefined) {
      this.offer(message);
      memory.recycle(message);
    } else if (this.#isHigh() && !this.#fits(frame.length)) {
      memory.recycle(message);
    } else {
      this.#outbox.pushRaw(frame, 1, memory);
      this.#messageQueued();
    }
  }

  /**
   * Queues bytes that are not a message. Drops them while the peer is slow: they are not important.
   * Returns whether they were queued.
   */
  offerRaw(bytes: Uint8Array): boolean {
    if (this.#isHigh()) return false;
    this.pushEnd(bytes);
    return true;
  }

  /** Queues the bytes that tell the peer that nothing more follows. */
  pushEnd(bytes: Uint8Array): void {
    this.#outbox.pushRaw(bytes);
    this.#schedule();
  }

  /**
   * Stops, and writes a last word to a peer that broke the rules, if nothing else waits to be written.
   * Resolves after at most a second, to whether it tried to write the last word.
   */
  async stopWith(error: unknown, bytes: Uint8Array): Promise<boolean> {
    const isQuiet = this.#state === "idle" && this.#outbox.isEmpty;
    this.stop(error);
    if (!isQuiet) return false;
    const writing = this.#transport.write(bytes).catch(() => {}); // The peer may have gone already.
    const timer = Promise.withResolvers<void>();
    const deadline = deadlineOf(LAST_WORD_TIMEOUT, timer.resolve);
    await Promise.race([writing, timer.promise]);
    deadline.clear();
    return true;
  }

  /** Whether so much waits that `send()` should wait. */
  #isHigh(): boolean {
    return this.#outbox.cost >= this.#limits.highWaterMark;
  }

  /** Whether a message may be queued above the high-water mark. */
  #fits(frameBytes: number): boolean {
    return this.#outbox.cost + frameBytes <= this.#limits.maxPendingBytes ||
      this.#applySlowConsumer(frameBytes);
  }

  /** A message waits to be written. The next one may have another framing. */
  #messageQueued(): void {
    if (this.framing.after !== undefined) this.switchTo(this.framing.after(1));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isHigh()) {
      this.flush();
    } else if (this.#state === "idle") {
      this.#state = "scheduled";
      flushSoon(this);
    }
  }

  /** Resolves when the queue is below the high-water mark: at once, or later. */
  ready(): Promise<void> {
    if (!this.#isHigh()) return DONE;
    return (this.#drained ??= handledResolvers<void>()).promise;
  }

  /** Whether queued messages wait for the end of this turn of the event loop. */
  get scheduled(): boolean {
    return this.#state === "scheduled";
  }

  /** A reader that has read everything will probably send no more in this turn: writes now. */
  readerWaits(): void {
    if (this.#state === "scheduled") flushNow(this);
  }

  /**
   * While a socket always has data, reads complete at once and the turn of the event loop does not
   * end. Then queued messages are written after some chunks. Not after each chunk: the writes would
   * be small.
   */
  chunkTaken(): void {
    if (this.#state !== "scheduled") this.#chunksWaited = 0;
    else if (++this.#chunksWaited > MAX_CHUNKS_WAITED) {
      this.#chunksWaited = 0;
      flushNow(this);
    }
  }

  /** Starts to write, and writes until the queue is empty. */
  flush(): void {
    if (this.#state === "idle" || this.#state === "scheduled") this.#underWay = this.#write();
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
    this.#state = "writing";
    const deadline = this.#deadline ??= new Deadline(
      this.#limits.writeTimeout,
      () => this.#writeExpired(),
    );
    try {
      for (let chunk = this.#outbox.peek(); chunk !== undefined; chunk = this.#outbox.peek()) {
        deadline.start();
        const bytes = await this.#transport.write(chunk, this.#outbox.endsMessage);
        if (this.#isStopped()) {
          this.#outbox.wroteAfterRelease(bytes);
          this.bytes += bytes;
          return;
        }
        this.messages += this.#outbox.advance(bytes);
        this.bytes += bytes;
        if (this.#drained !== undefined && !this.#isHigh()) {
          this.#drained.resolve();
          this.#drained = undefined;
          // The waiting senders resume now. What is left waits for their messages, to join one write.
          if (this.#flushed === undefined && !this.#outbox.isEmpty) {
            deadline.stop();
            this.#state = "scheduled";
            flushSoon(this);
            return;
          }
        }
      }
    } catch (cause) {
      if (this.#isStopped()) return;
      this.#fail(
        new ConnectionLostError(`Cannot send to ${this.#transport.remote}: ${reasonOf(cause)}`, {
          cause,
        }),
      );
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

  /** Applies the slow-consumer policy; returns whether the message may be queued now. */
  #applySlowConsumer(frameBytes: number): boolean {
    const { slowConsumer, maxPendingBytes } = this.#limits;
    if (slowConsumer === "disconnect") {
      throw this.#fail(
        new SlowConsumerError(
          `Cannot send message to ${this.#transport.remote}: ${this.#outbox.bytes} bytes wait ` +
            `already, limit is ${maxPendingBytes} bytes`,
        ),
      );
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

  #writeExpired(): void {
    this.#fail(
      new ConnectionLostError(
        `Cannot send to ${this.#transport.remote}: it took nothing for ` +
          `${this.#limits.writeTimeout} ms`,
      ),
    );
  }

  #fail(error: LengthwiseError): LengthwiseError {
    this.stop(error);
    this.#owner.outputFailed(error);
    return error;
  }
}

/** Writes the header into the memory before the message. Undefined if the header does not fit there. */
function frameInPlace(message: Uint8Array, framing: Framing): Uint8Array | undefined {
  const header = framing.encodeHeader?.(message);
  if (header === undefined || header.length > message.byteOffset) return undefined;
  const start = message.byteOffset - header.length;
  const frame = new Uint8Array(message.buffer, start, header.length + message.length);
  frame.set(header);
  return frame;
}
