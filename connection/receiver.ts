/** The receiving half of a connection: from the transport through the decoder to the inbox. */

import type { Decoder, EndInfo } from "../codec.ts";
import { ConnectionLostError, FrameTimeoutError, LengthwiseError } from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { Inbox, type Wanted } from "./inbox.ts";
import type { ResolvedLimits } from "./limits.ts";
import type { ConnectionSettings } from "./settings.ts";

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

/** Reads chunks, decodes them and queues the messages, until the peer ends. */
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
  readonly #decoder: Decoder;
  /** Gives the buffer into which the decoder wants the next bytes, if it wants them in one. */
  readonly #readTarget: ((bytes: number) => Uint8Array | undefined) | undefined;
  /** Whether a frame tells the peer's end: then even chunks that are dropped must be decoded. */
  readonly #endsWithin: boolean;
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
    this.#decoder = framing.decoder(transport.abilities.chunks);
    const { readTarget } = this.#decoder;
    this.#readTarget = readTarget && ((bytes) => readTarget.call(this.#decoder, bytes));
    this.#endsWithin = framing.encodeEnd !== undefined;
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
        this.#outlet.chunkTaken();
        if (this.#decoder.ended !== undefined) break;
      }
      if (this.#state === "reading") this.#decodeInto((messages) => this.#decoder.end(messages));
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
    return this.inbox.wait(want);
  }

  /** Ends the readers now. Drops what waits and what still arrives, until the peer ends. */
  discard(): void {
    if (this.#state === "reading") {
      this.#state = "discarding";
      this.discardedBytes += this.#decoder.pendingBytes;
    }
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
    this.#decodeInto((messages) => this.#decoder.decode(chunk, messages));
    const reply = this.#decoder.takeReply?.();
    if (reply !== undefined) this.#owner.inputReplied(reply);
    if (this.#decoder.pendingBytes === 0 || this.#state === "discarding") {
      this.#frameDeadline?.stop();
    } else if (this.messages > before || !this.#frameDeadline?.running) this.#startFrameDeadline();
  }

  /** Queues the decoded messages, also those that come before an error. */
  #decodeInto(decode: (messages: Uint8Array[]) => void): void {
    const messages: Uint8Array[] = [];
    try {
      decode(messages);
    } finally {
      this.messages += messages.length;
      if (this.#state === "discarding") {
        for (const { length } of messages) this.discardedBytes += length;
      } else if (messages.length > 0) this.inbox.put(messages);
    }
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
