/** The sending half of a connection: outbox, flushing, and waiting for a slow peer. */

import type { Framing } from "../codec.ts";
import { ConnectionLostError, type LengthwiseError, SlowConsumerError } from "../errors.ts";
import { handledResolvers } from "../internal/handled.ts";
import type { Memory } from "../internal/memory.ts";
import { reasonOf } from "../internal/reason.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { flushNow, flushSoon } from "./flush.ts";
import type { ResolvedLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { ConnectionSettings } from "./settings.ts";

/** Who is told that the sending half failed. */
export interface SenderOwner {
  /** The stream broke, or the peer reads too slowly. */
  outputFailed(error: LengthwiseError): void;
}

/** How many chunks are read before what was sent meanwhile leaves. */
const MAX_CHUNKS_WAITED = 16;
const DONE: Promise<void> = Promise.resolve();
/** How long a last word may take, in milliseconds. */
const LAST_WORD_TIMEOUT = 1_000;

/** Queues messages and writes them, many per write. */
export class Sender {
  messages = 0;
  dropped = 0;
  bytes = 0;

  readonly #transport: Transport;
  readonly #framing: Framing;
  readonly #limits: ResolvedLimits;
  readonly #owner: SenderOwner;
  readonly #outbox: Outbox;
  /** Made for the first write. */
  #deadline: Deadline | undefined;
  #state: "idle" | "scheduled" | "writing" | "stopped" = "idle";
  #underWay: Promise<void> = DONE;
  /** Chunks read while what was sent waits for the turn's end. */
  #chunksWaited = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  constructor(transport: Transport, settings: ConnectionSettings<unknown>, owner: SenderOwner) {
    const { framing, limits } = settings;
    this.#transport = transport;
    this.#framing = framing;
    this.#limits = limits;
    this.#owner = owner;
    this.#outbox = new Outbox(framing, transport.abilities.blocks);
  }

  /** Bytes that wait to be written. */
  get pendingBytes(): number {
    return this.#outbox.bytes;
  }

  /**
   * Queues a message; returns false when the slow-consumer policy drops it.
   *
   * @throws {ProtocolError} for a message that the framing cannot say.
   * @throws {SlowConsumerError} when too much waits already, and that is the policy.
   */
  offer(message: Uint8Array, isText?: boolean): boolean {
    if (!(message instanceof Uint8Array)) {
      throw new TypeError(`Cannot send ${typeof message}: it must be a Uint8Array or a string`);
    }
    const frameBytes = this.#framing.frameBytes(message);
    if (frameBytes === 0 && !this.#framing.isApart) return true;
    if (this.#isHigh() && !this.#fits(frameBytes)) return false;
    this.#outbox.push(message, frameBytes, isText);
    this.#schedule();
    return true;
  }

  /** Queues a message that is a frame already, as `offer()` does. */
  offerFrame(frame: Uint8Array): boolean {
    if (this.#isHigh() && !this.#fits(frame.length)) return false;
    this.#outbox.pushFrame(frame);
    this.#schedule();
    return true;
  }

  /**
   * Queues a message as `offer()` does, but leaves it where it is if the memory before it has room for
   * the header of its frame. It goes back to `memory` when it was copied, written or dropped.
   */
  offerInPlace(message: Uint8Array, memory: Memory): void {
    const frame = this.#outbox.keeps ? undefined : frameInPlace(message, this.#framing);
    if (frame === undefined) {
      this.offer(message);
      memory.recycle(message);
    } else if (this.#isHigh() && !this.#fits(frame.length)) {
      memory.recycle(message);
    } else {
      this.#outbox.pushRaw(frame, 1, memory);
      this.#schedule();
    }
  }

  /** Queues bytes that are no message; not while the peer is slow, to whom they matter least. */
  offerRaw(bytes: Uint8Array): void {
    if (!this.#isHigh()) this.pushEnd(bytes);
  }

  /** Queues the bytes that say the end. */
  pushEnd(bytes: Uint8Array): void {
    this.#outbox.pushRaw(bytes);
    this.#schedule();
  }

  /**
   * Stops, and writes the bytes as a last word to a peer that did wrong, if it can be said at once.
   * Resolves when it was, after at most a second, to whether it was tried.
   */
  async stopWith(error: unknown, bytes: Uint8Array): Promise<boolean> {
    const isQuiet = this.#state === "idle" && this.#outbox.isEmpty;
    this.stop(error);
    if (!isQuiet) return false;
    const writing = this.#transport.write(bytes).catch(() => {}); // It was only a courtesy.
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, LAST_WORD_TIMEOUT);
    await Promise.race([writing, timer.promise]);
    clearTimeout(id);
    return true;
  }

  /** Whether so much waits that whoever sends should wait. */
  #isHigh(): boolean {
    return this.#outbox.cost >= this.#limits.highWaterMark;
  }

  /** Whether a message may be queued above the high-water mark. */
  #fits(frameBytes: number): boolean {
    return this.#outbox.cost + frameBytes <= this.#limits.maxPendingBytes ||
      this.#applySlowConsumer(frameBytes);
  }

  #schedule(): void {
    if (this.#isHigh()) {
      this.flush();
    } else if (this.#state === "idle") {
      this.#state = "scheduled";
      flushSoon(this);
    }
  }

  /** Resolves at once below the high-water mark, else when the queue is below it again. */
  ready(): Promise<void> {
    if (!this.#isHigh()) return DONE;
    return (this.#drained ??= handledResolvers<void>()).promise;
  }

  /** Whether it waits for the turn of the event loop to end. */
  get scheduled(): boolean {
    return this.#state === "scheduled";
  }

  /** Whoever has read everything is not likely to send more now: no need to wait for the turn's end. */
  readerWaits(): void {
    if (this.#state === "scheduled") flushNow(this);
  }

  /**
   * While a socket is never empty, the event loop makes no turn: reads complete at once. What was sent
   * leaves after some chunks, then. Not after each one: writes would be small.
   */
  chunkTaken(): void {
    if (this.#state !== "scheduled") this.#chunksWaited = 0;
    else if (++this.#chunksWaited > MAX_CHUNKS_WAITED) {
      this.#chunksWaited = 0;
      flushNow(this);
    }
  }

  /** Writes what waits, from now on until nothing does. */
  flush(): void {
    if (this.#state === "idle" || this.#state === "scheduled") this.#underWay = this.#write();
  }

  /** Resolves when everything was written, or nothing more will be. */
  flushed(): Promise<void> {
    if (this.#outbox.isEmpty || this.#state === "stopped") return DONE;
    this.flush();
    return (this.#flushed ??= Promise.withResolvers<void>()).promise;
  }

  /** Resolves when no write is under way: once the transport is closed, `pendingBytes` is final. */
  settled(): Promise<void> {
    return this.#underWay;
  }

  /** Ends: what waits is not written. Sends that wait reject with the error. */
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
          // Whoever waited sends on now: what is left leaves with that, not in a small write before it.
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

/** A message's frame around it, if that is a header for which there is room before it. */
function frameInPlace(message: Uint8Array, framing: Framing): Uint8Array | undefined {
  const header = framing.encodeHeader?.(message);
  if (header === undefined || header.length > message.byteOffset) return undefined;
  const start = message.byteOffset - header.length;
  const frame = new Uint8Array(message.buffer, start, header.length + message.length);
  frame.set(header);
  return frame;
}
