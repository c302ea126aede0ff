/** How a connection ends: the order of things, whoever begins, and that there is one outcome. */

import type { EndInfo } from "../codec.ts";
import { ConnectionClosedError, ConnectionLostError, type LengthwiseError } from "../errors.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { flushNow } from "./flush.ts";
import { endInfo, onAbort, part } from "./parting.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { CloseInfo, CloseOptions } from "./types.ts";

/** How many chunks are read before what was sent meanwhile leaves. */
const MAX_WAITED = 16;

/** The two halves of a connection and its states, from open to closed. */
export class Lifecycle {
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly closed: Promise<CloseInfo>;
  /** Messages that could not be sent at all. */
  refusals = 0;
  state: "open" | "closing" | "closed" = "open";

  readonly #transport: Transport;
  readonly #settings: ConnectionSettings<unknown>;
  readonly #resolveClosed: (info: CloseInfo) => void;
  #output: "open" | "ending" | "ended" = "open";
  #ending: Promise<void> | undefined;
  #closeOptions: CloseOptions | undefined;
  /** What the peer said about its end. */
  #peerEnd: EndInfo | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  /** Runs when only the peer has ended. */
  #halfOpen: Deadline | undefined;
  /** Why sending is over while receiving may go on. */
  #outputError: LengthwiseError | undefined;
  /** Why the first of the refused messages was. */
  #refused: unknown;
  /** What the connection ended with. */
  #reason: unknown;
  #aborter: AbortController | undefined;
  /** Chunks read while something waited for the turn's end. */
  #waited = 0;
  #stopWatching: (() => void) | undefined;

  /** Begins open. Reading starts with `receiver.run()`. */
  constructor(transport: Transport, settings: ConnectionSettings<unknown>) {
    this.#transport = transport;
    this.#settings = settings;
    const { promise, resolve } = Promise.withResolvers<CloseInfo>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.receiver = new Receiver(transport, settings, this);
    this.sender = new Sender(transport, settings, this);
    if (settings.signal !== undefined) {
      this.#stopWatching = onAbort(settings.signal, (reason) => this.abort(reason));
    }
  }

  /** Aborted with what the connection ended with. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.state === "closed") this.#aborter.abort(this.#reason);
    }
    return this.#aborter.signal;
  }

  #canSend(): boolean {
    return this.state === "open" && this.#output === "open" && this.#outputError === undefined;
  }

  /**
   * A message is about to be sent.
   *
   * @throws {LengthwiseError} when none can be any more.
   */
  beforeSending(): void {
    if (!this.#canSend()) {
      throw this.#outputError ?? new ConnectionClosedError(
        `Cannot send to ${this.#transport.remote}: connection is ` +
          (this.state === "open" ? "half-closed" : this.state),
      );
    }
    this.#halfOpen?.start();
  }

  /** A message was refused, which breaks no other; but `closed` has to tell. */
  refused(error: unknown): void {
    this.refusals++;
    if (this.state === "open") this.#refused ??= error;
  }

  /** See `Connection.closeWrite()`. */
  closeWrite(): Promise<void> {
    return this.#ending ??= this.#endOutput();
  }

  async #endOutput(): Promise<void> {
    this.#output = "ending";
    const end = this.#settings.framing.encodeEnd?.(endInfo(this.#closeOptions, this.#peerEnd));
    if (end !== undefined && this.#outputError === undefined) this.sender.pushEnd(end);
    await this.sender.flushed();
    if (this.state === "closed") return;
    try {
      await this.#transport.closeWrite(this.#closeOptions);
    } catch {
      // The peer has gone; the receiving half tells in which way.
    }
    this.#output = "ended";
    if (this.#isOver()) this.#finish();
  }

  /** Whether nothing more can come or go. A peer that is not told of this end will not tell its own. */
  #isOver(): boolean {
    return this.receiver.ended ||
      this.#transport.abilities.tellsEnd === false && this.state === "closing";
  }

  /** See `Connection.close()`. */
  close(options: CloseOptions): Promise<CloseInfo> {
    if (this.state !== "open") return this.closed;
    this.#settings.framing.encodeEnd?.(options); // Refuses what it cannot say before anything ends.
    this.state = "closing";
    this.#closeOptions = options;
    const { closeTimeout } = this.#settings.limits;
    clearTimeout(this.#closeTimer);
    this.#halfOpen?.clear();
    this.#closeTimer = setTimeout(() => this.#closeExpired(closeTimeout), closeTimeout);
    this.receiver.discard();
    if (this.#output === "ended" && this.#isOver()) this.#finish();
    else this.closeWrite();
    return this.closed;
  }

  #closeExpired(closeTimeout: number): void {
    const what = this.sender.pendingBytes > 0 ? "read everything" : "close";
    this.#finish(
      new ConnectionLostError(
        `Cannot close connection to ${this.#transport.remote} in order: it did not ${what} ` +
          `within ${closeTimeout} ms`,
      ),
    );
  }

  /** See `Connection.abort()`. */
  abort(reason?: unknown): void {
    if (this.state === "closed") return;
    const error = reason ?? new ConnectionClosedError(
      `Cannot use connection to ${this.#transport.remote}: it was aborted`,
    );
    this.receiver.inbox.abort(error);
    this.receiver.discard();
    this.#finish(error);
  }

  /** The peer ended in order, on a message boundary. */
  inputEnded(info: EndInfo | undefined): void {
    this.#peerEnd = info;
    if (this.#outputError !== undefined) this.#finish(this.#outputError);
    else if (this.#output === "ended" || this.#transport.abilities.tellsEnd === false) {
      this.#finish();
    } else if (this.state === "open") {
      const { halfOpenTimeout } = this.#settings.limits;
      const reason = `the peer ended, and nothing was sent for ${halfOpenTimeout} ms`;
      this.#halfOpen = new Deadline(halfOpenTimeout, () => this.close({ reason }), { idle: true });
      this.#halfOpen.start();
    }
  }

  /**
   * While a socket is never empty, the event loop makes no turn: reads complete at once. What was sent
   * leaves after some chunks, then. Not after each one: writes would be small.
   */
  inputTaken(): void {
    if (!this.sender.scheduled) this.#waited = 0;
    else if (++this.#waited > MAX_WAITED) {
      this.#waited = 0;
      flushNow(this.sender);
    }
  }

  /** The framing has something to answer. */
  inputReplied(reply: Uint8Array): void {
    if (this.#canSend()) this.sender.offerRaw(reply);
  }

  /** The stream broke, or the peer broke the rules. */
  inputFailed(error: LengthwiseError): void {
    this.#finish(error);
  }

  /** Sending is over, but what the peer said before it went may still be there to read. */
  outputFailed(error: LengthwiseError): void {
    this.#outputError = error;
    const peerMayStillTalk = error instanceof ConnectionLostError && error.cause !== undefined &&
      !this.receiver.ended && this.state === "open";
    if (peerMayStillTalk) {
      this.#closeTimer = setTimeout(() => this.#finish(error), this.#settings.limits.closeTimeout);
    } else this.#finish(error);
  }

  /** The one place where a connection becomes closed. */
  #finish(error?: unknown): void {
    if (this.state === "closed") return;
    this.state = "closed";
    clearTimeout(this.#closeTimer);
    this.#halfOpen?.clear();
    this.#stopWatching?.();
    const failure = error ?? this.#refused;
    this.#reason = failure ?? new ConnectionClosedError(
      `Cannot use connection to ${this.#transport.remote}: it is closed`,
    );
    this.receiver.stop(error === undefined ? undefined : { error });
    this.#closeTransport(error);
    this.#aborter?.abort(this.#reason);
  }

  /** Closes beneath; then `closed` settles. */
  async #closeTransport(error: unknown): Promise<void> {
    await part({
      transport: this.#transport,
      sender: this.sender,
      framing: this.#settings.framing,
      error,
      reason: this.#reason,
      canTell: this.#output === "open",
    });
    const undeliveredBytes = this.sender.pendingBytes;
    const failure = error ?? this.#refused;
    this.#resolveClosed({
      clean: failure === undefined && undeliveredBytes === 0 && this.sender.dropped === 0,
      ...endInfo(this.#closeOptions, this.#peerEnd),
      ...(failure === undefined ? {} : { error: failure }),
      undeliveredBytes,
      unreadBytes: this.receiver.discardedBytes,
    });
  }
}
