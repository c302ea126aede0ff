/** The receiving half of a connection: from the transport through the decoder to the inbox. */

import { Batch, type Framing } from "../codec.ts";
import { ConnectionLostError } from "../errors.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { Decoding } from "./decoding.ts";
import { frameExpired, readFailed } from "./failures.ts";
import { Inbox, type Wanted } from "./inbox.ts";
import type { ResolvedLimits } from "./limits.ts";
import type { Outlet, ReceiverOwner } from "./owners.ts";
import { NO_BYTES, type Raw } from "./raw.ts";
import type { ConnectionSettings } from "./settings.ts";
import { turnEnd } from "../internal/turn_end.ts";
import { HeldError, unreadOf } from "./unread.ts";

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
  #decoding: Decoding;
  /** Whether a frame tells the peer's end: then even chunks that are dropped must be decoded. */
  readonly #endsWithin: boolean;
  /** Whether the framing may be switched, and whether it was. */
  readonly #isSwitchable: boolean;
  #isSwitched = false;
  #held: HeldError | undefined;
  /** How many messages had been received when this decoding began. */
  #messagesBefore = 0;
  /** Whether the stream has ended in order. */
  #isAtEnd = false;
  /** Created for the first frame that does not arrive in one chunk. */
  #frameDeadline: Deadline | undefined;
  /** Whether the last reader asked for batches without a view for each message. */
  #isRaw = false;
  #state: "reading" | "discarding" | "ended" = "reading";
  #paused: (() => void) | undefined;
  /** Set while the peer must take answers of the framing first. */
  #answering: Promise<void> | undefined;
  /** Set while the next read waits for the readers. */
  #drained: (() => void) | undefined;

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
    this.#decoding = this.#decodingBy(framing);
  }

  #decodingBy(framing: Framing): Decoding {
    return new Decoding(framing, this.#isSwitchable, this.#transport.abilities.chunks);
  }

  /** Whether receiving is over. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Whether this end holds back. */
  get isPaused(): boolean {
    return this.#paused !== undefined || this.#answering !== undefined;
  }

  /** Reads until the end. Resolves when reading is over; never rejects. */
  async run(): Promise<void> {
    try {
      for (;;) {
        if (this.inbox.cost >= this.#limits.maxUnreadBytes) await this.#pause();
        else if (this.inbox.messages > 1) await this.#readersTurn();
        const chunk = await this.#transport.read(this.#decoding.readTarget);
        if (this.ended) return;
        if (chunk === undefined) break;
        const before = this.messages;
        this.#take(chunk);
        const completed = this.messages - before;
        if (this.#held !== undefined) await this.#held.settled.promise;
        if (this.#answering !== undefined) await this.#answered(this.#answering);
        if (this.ended) return;
        this.#outlet.chunkTaken(completed);
        if (this.#decoding.decoder.ended !== undefined) break;
      }
      this.#isAtEnd = true;
      if (this.#state === "reading") this.#decode(undefined);
      while (this.#held !== undefined) await this.#held.settled.promise;
      if (this.ended) return;
      this.stop();
      this.#owner.inputEnded(this.#decoding.decoder.ended ?? this.#transport.abilities.ended);
    } catch (error) {
      if (this.ended) return;
      this.#fail(error);
    }
  }

  /** The next message; undefined if none waits. */
  take(): Uint8Array | undefined {
    this.#isRaw = false;
    const message = this.inbox.take();
    if (this.#drained !== undefined && this.inbox.messages === 0) this.#drained();
    if (this.#paused !== undefined) this.taken();
    return message;
  }

  /** Messages were taken from the inbox: reading goes on if few enough are left. */
  taken(): void {
    if (this.inbox.messages === 0) this.#drained?.();
    if (this.inbox.cost <= this.#limits.maxUnreadBytes / 2) this.#paused?.();
  }

  /** The next batch; undefined at the end. */
  async takeBatch(): Promise<Uint8Array[] | undefined> {
    this.#isRaw = false;
    const batch = this.inbox.takeBatch();
    this.taken();
    return batch ?? await this.wait("batch");
  }

  /** As `takeBatch()`, without a view for each message. */
  async takeRaw(): Promise<Batch | undefined> {
    this.#isRaw = true;
    const batch = this.inbox.takeRaw();
    this.taken();
    return batch ?? await this.wait("raw");
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
    const { rest, framing } = this.#decoding;
    const decoded = this.messages - this.#messagesBefore;
    const last = held ?? { raw: rest, messages: [] };
    return unreadOf(this.inbox, last, framing, decoded, this.#transport.remote);
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
  restart(framing: Framing = this.#decoding.framing): void {
    this.messages -= this.inbox.messages;
    this.inbox.clear();
    this.inbox.reopen();
    this.#frameDeadline?.stop();
    this.#release();
    this.#decoding = this.#decodingBy(framing);
    this.#messagesBefore = this.messages;
  }

  /** Ends the readers now. Drops what waits and what still arrives, until the peer ends. */
  discard(): void {
    if (this.#state === "reading") {
      this.#state = "discarding";
      this.discardedBytes += this.#decoding.decoder.pendingBytes;
    }
    this.#decoding.forgetRest();
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
    this.#drained?.();
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
    if (this.#decoding.decoder.pendingBytes === 0 || this.#state !== "reading") {
      this.#frameDeadline?.stop();
    } else if (isNew || !this.#frameDeadline?.running) this.#startFrameDeadline();
  }

  /** Decodes a chunk, or the end. Queues the messages, also those that come before an error. */
  #decode(chunk: Uint8Array | undefined): void {
    if (this.#held !== undefined) return this.#held.add(chunk ?? NO_BYTES);
    const decoding = this.#decoding;
    const { decoder } = decoding;
    const isRaw = this.#isRaw && chunk !== undefined && this.#state === "reading";
    const messages = isRaw && decoder.decodeInto !== undefined ? new Batch() : [];
    try {
      decoding.decode(messages, chunk);
    } catch (error) {
      return this.#decodedUntil(error, messages, chunk);
    }
    this.#queue(messages, decoding.keepRest(messages, chunk));
    decoding.settle(this.inbox.messages === 0, chunk);
    this.#reply();
  }

  #reply(): void {
    const reply = this.#decoding.decoder.takeReply?.();
    if (reply !== undefined) this.#answering = this.#owner.inputReplied(reply);
  }

  /** Waits until the peer has taken enough. The frame deadline does not run meanwhile. */
  async #answered(taken: Promise<void>): Promise<void> {
    this.#frameDeadline?.stop();
    await taken.catch(() => {}); // The sending half tells what is wrong.
    this.#answering = undefined;
    this.#watchFrame(true);
  }

  #queue(messages: Uint8Array[] | Batch, raw: Raw | undefined): void {
    this.messages += messages.length;
    if (this.#state === "discarding") {
      for (const { length } of messages) this.discardedBytes += length;
    } else if (messages.length > 0) this.inbox.put(messages, raw);
  }

  /** The decoder failed. If no reader waits, its next message may come by another framing. */
  #decodedUntil(error: unknown, messages: Uint8Array[] | Batch, chunk = NO_BYTES): void {
    const raw = this.#decoding.keepNothing(chunk);
    this.#queue(messages, raw);
    // Readers may take the messages before it first: to decode what follows anew, or to answer them,
    // where the peer can be told its mistake behind that. Who has sent nothing else is no such peer.
    const mayHold = this.messages > 0 ? this.#isSwitchable || this.#endsWithin : this.#isSwitched;
    if (!mayHold || this.#state === "discarding" || this.inbox.isAwaited) return this.#fail(error);
    if (!this.#isSwitchable) this.#reply();
    this.#held = new HeldError(error, raw, [...messages]);
    if (this.#state === "reading") this.#startFrameDeadline();
  }

  /** Waits until enough messages were taken. The frame deadline does not run meanwhile. */
  #pause(): Promise<void> {
    this.#frameDeadline?.stop();
    return new Promise((resolve) => {
      this.#paused = () => {
        this.#paused = undefined;
        this.#watchFrame(true);
        resolve();
      };
    });
  }

  /**
   * Lets the readers take what was received, for one turn of the event loop at most. Chunks are decoded
   * faster than their messages are taken, both in microtasks. So without this, `maxUnreadBytes` would be
   * read ahead, and the loop would not turn before all of that is taken: other connections would wait.
   * A single message is no reason to wait: while it is taken, the next large one may arrive.
   */
  #readersTurn(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        if (this.#drained === done) this.#drained = undefined;
        resolve();
      };
      this.#drained = done;
      turnEnd().then(done);
    });
  }

  #startFrameDeadline(): void {
    this.#frameDeadline ??= new Deadline(this.#limits.frameTimeout, () => this.#frameExpired());
    this.#frameDeadline.start();
  }

  #frameExpired(): void {
    if (this.surface()) return;
    const { pendingBytes } = this.#decoding.decoder;
    this.#fail(frameExpired(this.#transport.remote, this.#limits.frameTimeout, pendingBytes));
  }

  #fail(cause: unknown): void {
    const error = readFailed(this.#transport.remote, cause);
    this.stop({ error });
    this.#owner.inputFailed(error);
  }
}
