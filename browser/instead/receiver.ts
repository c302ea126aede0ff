/** The receiving half of a connection in a page: its framing stays, and needs no answers. */

import type { Batch, Decoder } from "../../codec.ts";
import { frameExpired, readFailed } from "../../connection/failures.ts";
import type { ResolvedLimits } from "../../connection/limits.ts";
import type { Wanted } from "../../connection/inbox.ts";
import type { ReceiverOwner } from "../../connection/owners.ts";
import type { ConnectionSettings } from "../../connection/settings.ts";
import { ConnectionLostError } from "../../errors.ts";
import { Deadline } from "../../internal/time.ts";
import type { Transport } from "../../transport.ts";
import { Inbox } from "./inbox.ts";

/** Reads chunks, decodes them and queues the messages, until the peer ends. */
export class Receiver {
  messages = 0;
  bytes = 0;
  discardedBytes = 0;
  lastSeenAt = Date.now();
  readonly inbox: Inbox = new Inbox();

  readonly #transport: Transport;
  readonly #limits: ResolvedLimits;
  readonly #lossIsEnd: boolean;
  readonly #owner: ReceiverOwner;
  readonly #decoder: Decoder;
  readonly #frameDeadline: Deadline;
  #state: "reading" | "discarding" | "ended" = "reading";
  #resume: (() => void) | undefined;

  /** Starts with `run()`. */
  constructor(transport: Transport, settings: ConnectionSettings<unknown>, owner: ReceiverOwner) {
    const { framing, limits, lossIsEnd } = settings;
    this.#transport = transport;
    this.#limits = limits;
    this.#lossIsEnd = lossIsEnd;
    this.#owner = owner;
    this.#decoder = framing.decoder();
    this.#frameDeadline = new Deadline(limits.frameTimeout, () => this.#frameExpired());
  }

  /** Whether receiving is over. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Reads until the end. Resolves when reading is over; never rejects. */
  async run(): Promise<void> {
    try {
      for (let chunk; (chunk = await this.#read()) !== undefined && !this.ended;) {
        this.bytes += chunk.length;
        this.lastSeenAt = Date.now();
        if (this.#state === "discarding") this.discardedBytes += chunk.length;
        else this.#decode(chunk);
      }
      if (this.ended) return;
      if (this.#state === "reading") this.#decoder.end();
      this.stop();
      this.#owner.inputEnded(this.#transport.abilities.ended);
    } catch (error) {
      if (!this.ended) this.#fail(error);
    }
  }

  /** The next chunk, once readers have taken enough. The frame deadline does not run meanwhile. */
  async #read(): Promise<Uint8Array | undefined> {
    if (this.inbox.cost >= this.#limits.maxUnreadBytes) {
      this.#frameDeadline.stop();
      await new Promise<void>((resolve) => this.#resume = resolve);
      this.#resume = undefined;
      this.#watchFrame(true);
    }
    return await this.#transport.read();
  }

  /** Queues the messages of a chunk, also those that come before an error. */
  #decode(chunk: Uint8Array): void {
    const messages: Uint8Array[] = [];
    try {
      this.#decoder.decode(chunk, messages);
    } finally {
      this.messages += messages.length;
      this.inbox.put(messages);
    }
    this.#watchFrame(messages.length > 0);
  }

  /** Limits the time for an unfinished frame. It begins anew when a message was completed before it. */
  #watchFrame(isNew: boolean): void {
    if (this.#decoder.pendingBytes === 0 || this.#state !== "reading") this.#frameDeadline.stop();
    else if (isNew || !this.#frameDeadline.running) this.#frameDeadline.start();
  }

  #frameExpired(): void {
    const { pendingBytes } = this.#decoder;
    this.#fail(frameExpired(this.#transport.remote, this.#limits.frameTimeout, pendingBytes));
  }

  /** The next message; undefined if none waits. */
  take(): Uint8Array | undefined {
    return this.#after(this.inbox.take());
  }

  /** The next batch; undefined at the end. */
  async takeBatch(): Promise<Uint8Array[] | undefined> {
    return this.#after(this.inbox.takeBatch()) ?? await this.wait("batch");
  }

  /** The same as a batch. */
  async takeRaw(): Promise<Batch | undefined> {
    return this.#after(this.inbox.takeRaw() as unknown as Batch) ?? await this.wait("raw");
  }

  /** Reading goes on if few enough messages are left. */
  #after<T>(taken: T): T {
    if (this.inbox.cost <= this.#limits.maxUnreadBytes / 2) this.#resume?.();
    return taken;
  }

  /** Waits for what is wanted, or for the end. */
  wait<K extends keyof Wanted>(want: K): Promise<Wanted[K]> {
    return this.inbox.wait(want);
  }

  /** No error waits. */
  surface(): boolean {
    return false;
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
    this.#frameDeadline.clear();
    this.#resume?.();
  }

  /** Ends. Readers get the queued messages, and then the end or the error. */
  stop(error?: { readonly error: unknown }): void {
    this.#state = "ended";
    this.#frameDeadline.clear();
    const isQuiet = this.#lossIsEnd && error?.error instanceof ConnectionLostError;
    this.inbox.end(isQuiet ? undefined : error);
    this.#resume?.();
  }

  #fail(cause: unknown): void {
    const error = readFailed(this.#transport.remote, cause);
    this.stop({ error });
    this.#owner.inputFailed(error);
  }
}
