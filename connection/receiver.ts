/** The receiving half of a connection: from the transport through the decoder to the inbox. */

import type { Decoder, EndInfo, Framing } from "../codec.ts";
import { tailOf } from "../codec/internal.ts";
import { ConnectionLostError, FrameTimeoutError, LengthwiseError } from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { Inbox, type Wanted } from "./inbox.ts";
import { type LateMemory, lateMemory } from "./late_memory.ts";
import type { ResolvedLimits } from "./limits.ts";
import { NO_BYTES, type Raw, Tail } from "./raw.ts";
import type { ConnectionSettings } from "./settings.ts";
import { HeldError, unreadOf } from "./unread.ts";

/** The owner of a receiver. It is told how receiving ends. */
export interface ReceiverOwner {
  /** The peer has ended in order, at a message boundary. `info` is what it said about its end. */
  inputEnded(info: EndInfo | undefined): void;
  /** The framing has something to answer. */
  inputReplied(reply: Uint8Array): unknown;
  /** The stream broke, or the peer broke the rules. The messages before that are in the inbox. */
  inputFailed(error: LengthwiseError): void;
}

/** The sending half, which decides when queued messages are written. */
export interface Outlet {
  /** A chunk was decoded. The next one will be read now. */
  chunkTaken(): void;
  /** All messages were read, and a reader waits for the next one. */
  readerWaits(): void;
}

/**
 * Reads chunks, decodes them and queues the messages, until the peer ends.
 *
 * The framing may be switched. So the bytes of what was not taken are kept, and an error in them is not
 * told before a reader asks for the next message: another framing may make messages of these bytes.
 */
export class Receiver {
  messages = 0;
  bytes = 0;
  /** How many bytes of messages were dropped, because this end closed before they were read. */
  discardedBytes = 0;
  lastSeenAt = Date.now();
  readonly inbox: Inbox = new Inbox();

  readonly #transport: Transport;
  readonly #limits: ResolvedLimits;
  readonly #lossIsEnd: boolean;
  readonly #owner: ReceiverOwner;
  readonly #outlet: Outlet;
  #framing!: Framing;
  #decoder!: Decoder;
  /** Gives the buffer into which the decoder wants the next bytes, if it wants them in one. */
  #readTarget: ((bytes: number) => Uint8Array | undefined) | undefined;
  /** Whether a frame tells the peer's end: then even chunks that are dropped must be decoded. */
  readonly #endsWithin: boolean;
  /** Whether the framing may be switched, and whether it was. */
  readonly #isSwitchable: boolean;
  #isSwitched = false;
  /** What the decoder gives back is kept here while it may be decoded anew. */
  #memory: LateMemory | undefined;
  /** What was received behind the last message. Created when there is something for the first time. */
  #tail: Tail | undefined;
  #held: HeldError | undefined;
  /** How many messages had been received when the decoder was made. */
  #messagesBefore = 0;
  /** Whether the stream has ended in order. */
  #isAtEnd = false;
  /** Created for the first frame that does not arrive in one chunk. */
  #frameDeadline: Deadline | undefined;
  #state: "reading" | "discarding" | "ended" = "reading";
  #paused: (() => void) | undefined;

  constructor(
    transport: Transport,
    settings: ConnectionSettings<unknown>,
    owner: ReceiverOwner,
    outlet: Outlet,
  ) {
    const { framing, limits } = settings;
    this.#transport = transport;
    this.#limits = limits;
    this.#lossIsEnd = settings.lossIsEnd;
    this.#owner = owner;
    this.#outlet = outlet;
    this.#endsWithin = framing.encodeEnd !== undefined;
    this.#isSwitchable = transport.abilities.framing === undefined;
    this.#use(framing);
  }

  #use(framing: Framing): void {
    const { chunks } = this.#transport.abilities;
    this.#memory = chunks && this.#isSwitchable ? lateMemory(chunks) : undefined;
    const decoder = framing.decoder(this.#memory ?? chunks);
    this.#framing = framing;
    this.#decoder = decoder;
    this.#readTarget = decoder.readTarget && ((bytes) => {
      const target = decoder.readTarget!(bytes);
      this.#memory?.settle(false);
      return target;
    });
    this.#messagesBefore = this.messages;
  }

  /** Whether receiving is over. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Whether this end holds back. */
  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  /** Reads until the end. Resolves when reading is over; never rejects. */
  async run(): Promise<void> {
    try {
      for (;;) {
        if (this.inbox.cost >= this.#limits.maxUnreadBytes) await this.#pause();
        const chunk = await this.#transport.read(this.#readTarget);
        if (this.ended) return;
        if (chunk === undefined) break;
        this.#take(chunk);
        if (this.#held !== undefined) await this.#held.settled.promise;
        if (this.ended) return;
        this.#outlet.chunkTaken();
        if (this.#decoder.ended !== undefined) break;
      }
      this.#isAtEnd = true;
      if (this.#state === "reading") this.#decode(undefined);
      while (this.#held !== undefined) await this.#held.settled.promise;
      if (this.ended) return;
      this.stop();
      this.#owner.inputEnded(this.#decoder.ended ?? this.#transport.abilities.ended);
    } catch (error) {
      if (this.ended) return;
      this.#fail(error);
    }
  }

  /** The next message; undefined if none waits. */
  take(): Uint8Array | undefined {
    const message = this.inbox.take();
    if (this.#paused !== undefined) this.taken();
    return message;
  }

  /** Messages were taken from the inbox: reading goes on if few enough are left. */
  taken(): void {
    if (this.inbox.cost <= this.#limits.maxUnreadBytes / 2) this.#paused?.();
  }

  /** The next batch; undefined at the end. */
  async takeBatch(): Promise<Uint8Array[] | undefined> {
    const batch = this.inbox.takeBatch();
    this.taken();
    return batch ?? await this.wait("batch");
  }

  /** Waits for what is wanted, or for the end. Call it only when there is nothing to take. */
  wait<K extends keyof Wanted>(want: K): Promise<Wanted[K]> {
    this.#outlet.readerWaits();
    if (this.#held !== undefined) this.surface();
    return this.inbox.wait(want);
  }

  /** Ends with the error that waits. Returns whether one did. */
  surface(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    this.#release();
    this.#fail(held.error);
    return true;
  }

  /** Forgets the error that waits. */
  #release(): void {
    this.#held?.settled.resolve();
    this.#held = undefined;
  }

  /**
   * All bytes behind the last message that was taken, as they came.
   *
   * @throws {TypeError} if they are more than a frame can have, and were not kept.
   */
  get unread(): Uint8Array {
    const held = this.#held;
    const tail = this.#tail === undefined ? NO_BYTES : this.#tail.raw;
    const decoded = this.messages - this.#messagesBefore;
    const bytes = unreadOf(this.inbox, held ?? { raw: tail, messages: [] }, this.#framing, decoded);
    if (bytes !== undefined) return bytes;
    throw new TypeError(
      `Cannot switch framing of ${this.#transport.remote}: more was received behind the last ` +
        `message than a frame can have`,
    );
  }

  /** Decodes by another framing from now on, beginning behind the last message that was taken. */
  switchTo(framing: Framing): void {
    if (this.#state === "discarding") return;
    const bytes = this.unread;
    this.#isSwitched = true;
    this.restart(framing);
    const before = this.messages;
    if (bytes.length > 0) this.#decode(bytes);
    if (this.#isAtEnd && this.#held === undefined) this.#decode(undefined);
    this.#watchFrame(this.messages > before);
    if (this.#held === undefined) this.inbox.endAgain();
    this.taken();
  }

  /** Drops everything behind the last message that was taken, and uses a new decoder. */
  restart(framing: Framing = this.#framing): void {
    this.messages -= this.inbox.messages;
    this.inbox.clear();
    this.inbox.reopen();
    this.#tail = undefined;
    this.#frameDeadline?.stop();
    this.#release();
    this.#use(framing);
  }

  /** Ends the readers now. Drops what waits and what still arrives, until the peer ends. */
  discard(): void {
    if (this.#state === "reading") {
      this.#state = "discarding";
      this.discardedBytes += this.#decoder.pendingBytes;
    }
    this.#tail = undefined;
    this.#release();
    this.discardedBytes += this.inbox.bytes;
    this.inbox.clear();
    this.inbox.end();
    this.#frameDeadline?.clear();
    this.taken();
  }

  /** Ends. Readers get the queued messages, and then the end or the error. */
  stop(error?: { readonly error: unknown }): void {
    this.#state = "ended";
    this.#frameDeadline?.clear();
    const quiet = this.#lossIsEnd && error?.error instanceof ConnectionLostError;
    this.inbox.end(quiet ? undefined : error);
    this.#paused?.();
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.lastSeenAt = Date.now();
    if (this.#state === "discarding" && !this.#endsWithin) {
      this.discardedBytes += chunk.length;
      return;
    }
    const before = this.messages;
    this.#decode(chunk);
    this.#watchFrame(this.messages > before);
  }

  /** Limits the time for an unfinished frame. It begins anew when a message was completed before it. */
  #watchFrame(isNew: boolean): void {
    if (this.#held !== undefined) return;
    if (this.#decoder.pendingBytes === 0 || this.#state !== "reading") this.#frameDeadline?.stop();
    else if (isNew || !this.#frameDeadline?.running) this.#startFrameDeadline();
  }

  /** Decodes a chunk, or the end. Queues the messages, also those that come before an error. */
  #decode(chunk: Uint8Array | undefined): void {
    if (this.#held !== undefined) return this.#held.add(chunk ?? NO_BYTES);
    const messages: Uint8Array[] = [];
    try {
      if (chunk === undefined) this.#decoder.end(messages);
      else this.#decoder.decode(chunk, messages);
    } catch (error) {
      return this.#decodedUntil(error, messages, chunk);
    }
    this.#queue(messages, this.#rawOf(messages, chunk));
    this.#memory?.settle(this.inbox.messages === 0, chunk);
    const reply = this.#decoder.takeReply?.();
    if (reply !== undefined) this.#owner.inputReplied(reply);
  }

  /** The bytes that messages were decoded from. Keeps what is behind them. */
  #rawOf(messages: Uint8Array[], chunk = NO_BYTES): Raw | undefined {
    if (!this.#isSwitchable) return undefined;
    const tailBytes = tailOf(this.#decoder);
    if (tailBytes === 0 && this.#tail === undefined) return chunk;
    this.#tail ??= new Tail(this.#framing);
    return this.#tail.add(chunk, tailBytes, messages.length > 0);
  }

  #queue(messages: Uint8Array[], raw: Raw | undefined): void {
    this.messages += messages.length;
    if (this.#state === "discarding") {
      for (const { length } of messages) this.discardedBytes += length;
    } else if (messages.length > 0) this.inbox.put(messages, raw);
  }

  /** The decoder failed. If no reader waits, its next message may come by another framing. */
  #decodedUntil(error: unknown, messages: Uint8Array[], chunk = NO_BYTES): void {
    const raw = this.#tail === undefined ? chunk : this.#tail.addAll(chunk);
    this.#memory?.settle(false);
    this.#queue(messages, raw);
    // Who has sent nothing else yet is no peer that speaks by another framing now.
    const isFirst = this.messages === 0 && !this.#isSwitched;
    if (!this.#isSwitchable || isFirst || this.#state === "discarding" || this.inbox.isAwaited) {
      this.#fail(error);
      return;
    }
    this.#held = new HeldError(error, raw, messages);
    if (this.#state === "reading") this.#startFrameDeadline();
  }

  /** Waits until enough messages were taken. The frame deadline does not run meanwhile. */
  #pause(): Promise<void> {
    this.#frameDeadline?.stop();
    return new Promise((resolve) => {
      this.#paused = () => {
        this.#paused = undefined;
        if (this.#decoder.pendingBytes > 0 && this.#state === "reading") {
          this.#startFrameDeadline();
        }
        resolve();
      };
    });
  }

  #startFrameDeadline(): void {
    this.#frameDeadline ??= new Deadline(this.#limits.frameTimeout, () => this.#frameExpired());
    this.#frameDeadline.start();
  }

  #frameExpired(): void {
    if (this.surface()) return;
    this.#fail(
      new FrameTimeoutError(
        `Cannot receive message from ${this.#transport.remote}: it was not finished within ` +
          `${this.#limits.frameTimeout} ms, ${this.#decoder.pendingBytes} bytes had arrived`,
      ),
    );
  }

  #fail(cause: unknown): void {
    const error = cause instanceof LengthwiseError ? cause : new ConnectionLostError(
      `Cannot receive from ${this.#transport.remote}: ${reasonOf(cause)}`,
      { cause },
    );
    this.stop({ error });
    this.#owner.inputFailed(error);
  }
}
