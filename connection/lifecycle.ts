/** How a connection ends: in a fixed order, whichever end begins, and with one outcome. */

import type { EndInfo } from "../codec.ts";
import { ConnectionClosedError, ConnectionLostError, type LengthwiseError } from "../errors.ts";
import type { Distribution } from "../internal/distribution.ts";
import { Deadline } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { type Liveness, livenessOf } from "./liveness.ts";
import type { ClosedListener } from "./owners.ts";
import { endInfo, onAbort, part, type Parting } from "./parting.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { ConnectionSettings } from "./settings.ts";
import { type Farewell, OPEN, type PeerEnd, STARTING_TLS, type State } from "./states.ts";
import type { CloseInfo, CloseOptions } from "./types.ts";

const NOBODY: readonly ClosedListener[] = [];

/** The two halves of a connection, and its state from open to closed. */
export class Lifecycle {
  /** Who the peer is, as the server's program says. */
  user: unknown;
  readonly receiver: Receiver;
  readonly sender: Sender;
  /** How many messages were refused. */
  refusals = 0;

  readonly #transport: Transport;
  readonly #settings: ConnectionSettings<unknown>;
  #state: State = OPEN;
  /** The error with which the first refused message was refused. */
  #refused: unknown;
  #aborter: AbortController | undefined;
  /** Made when it is asked for: most servers never ask. */
  #closed: PromiseWithResolvers<CloseInfo> | undefined;
  #closeInfo: CloseInfo | undefined;
  /** The connection of this life, once somebody listens. */
  #connection: object | undefined;
  #listeners: readonly ClosedListener[] = NOBODY;
  #stopWatching: (() => void) | undefined;
  readonly #liveness: Liveness | undefined;

  /** Starts in the state open. Reading starts with `receiver.run()`. */
  constructor(transport: Transport, settings: ConnectionSettings<unknown>) {
    this.#transport = transport;
    this.#settings = settings;
    this.sender = new Sender(transport, settings, this);
    this.receiver = new Receiver(transport, settings, this, this.sender);
    this.#liveness = livenessOf(this, settings.framing, settings.limits, transport);
    if (settings.signal !== undefined) {
      this.#stopWatching = onAbort(settings.signal, (reason) => this.abort(reason));
    }
  }

  /** See `Connection.state`. */
  get state(): "open" | "closing" | "closed" {
    const { name } = this.#state;
    return name === "closing" || name === "closed" ? name : "open";
  }

  /** See `Connection.closed`. */
  get closed(): Promise<CloseInfo> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers<CloseInfo>();
      if (this.#closeInfo !== undefined) this.#closed.resolve(this.#closeInfo);
    }
    return this.#closed.promise;
  }

  /** Calls a listener when the connection has closed, or at once if it has already. */
  whenClosed(connection: object, listener: ClosedListener): void {
    if (this.#closeInfo !== undefined) {
      return listener.connectionClosed(connection, this.#closeInfo);
    }
    this.#connection = connection;
    this.#listeners = this.#listeners.concat(listener); // No longer than it must be.
  }

  /** Adds each time from a ping to its answer to a distribution, where the framing has pings. */
  measureRoundTrips(times: Distribution): void {
    if (this.#liveness !== undefined) this.#liveness.times = times;
  }

  /** See `Connection.signal`. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#state.name === "closed") this.#aborter.abort(this.#state.reason);
    }
    return this.#aborter.signal;
  }

  /** Whether both ends may send. */
  get isOpen(): boolean {
    return this.#state === OPEN;
  }

  /**
   * Call it before each message is sent.
   *
   * @throws {LengthwiseError} if no message can be sent any more.
   */
  beforeSending(): void {
    if (this.#state !== OPEN) this.#checkSending(this.#state);
  }

  #checkSending(state: State): void {
    if (state.name === "peer ended") state.deadline.start();
    else {
      throw state.outputError ?? new ConnectionClosedError(
        `Cannot send to ${this.#transport.remote}: connection is ${state.name}`,
      );
    }
  }

  /**
   * Nothing may be sent until `tlsStarted()`.
   *
   * @throws {ConnectionClosedError} if either end has ended, or TLS starts already.
   */
  startingTls(): void {
    if (this.#state !== OPEN) {
      throw new ConnectionClosedError(
        `Cannot start TLS with ${this.#transport.remote}: connection is ${this.#state.name}`,
      );
    }
    this.#state = STARTING_TLS;
  }

  /** Messages may be sent again, if neither end has ended meanwhile. */
  tlsStarted(): void {
    if (this.#state === STARTING_TLS) this.#state = OPEN;
  }

  /** A message was refused. Other messages are not affected, but `closed` tells the error. */
  refused(error: unknown): void {
    this.refusals++;
    if (this.state === "open") this.#refused ??= error;
  }

  /** See `Connection.closeWrite()`. */
  closeWrite(): Promise<void> {
    const state = this.#state;
    if (state.name === "closed") return Promise.resolve();
    if (state.farewell !== undefined) return state.farewell.said;
    const farewell = newFarewell();
    this.#state = state.name === "cut off"
      ? { ...state, farewell }
      : { ...state, name: "half-closed", farewell };
    return farewell.said = this.#say(farewell);
  }

  /** Flushes, and then tells the peer that this end sends nothing more. */
  async #say(farewell: Farewell): Promise<void> {
    const { peerEnd, options, outputError } = this.#state;
    const end = this.#settings.framing.encodeEnd?.(endInfo(options, peerEnd?.info));
    if (end !== undefined && outputError === undefined) this.sender.pushEnd(end);
    await this.sender.flushed();
    if (this.state === "closed") return;
    try {
      await this.#transport.closeWrite(this.#state.options);
    } catch {
      // The peer has gone. The receiving half tells how.
    }
    farewell.isSaid = true;
    if (this.#isOver(this.#state)) this.#finish();
  }

  /** Whether nothing can come or go any more. Over UDP no end is told, so the peer's is not awaited. */
  #isOver({ name, farewell, peerEnd }: State): boolean {
    const isPeerDone = peerEnd !== undefined || name === "closing" && !this.#tellsEnd;
    return isPeerDone && farewell?.isSaid === true;
  }

  get #tellsEnd(): boolean {
    return this.#transport.abilities.tellsEnd !== false;
  }

  /** See `Connection.close()`. */
  close(options: CloseOptions): Promise<CloseInfo> {
    const state = this.#state;
    if (this.state !== "open") return this.closed;
    this.#settings.framing.encodeEnd?.(options); // Throws for wrong options before anything ends.
    if (this.receiver.surface()) return this.closed;
    state.deadline?.clear();
    const deadline = this.#afterCloseTimeout(() => this.#closeExpired());
    const farewell = state.farewell ?? newFarewell();
    this.#state = { ...state, name: "closing", options, farewell, deadline };
    this.receiver.discard();
    if (this.#isOver(this.#state)) this.#finish();
    else if (state.farewell === undefined) farewell.said = this.#say(farewell);
    return this.closed;
  }

  #afterCloseTimeout(expired: () => void): Deadline {
    const deadline = new Deadline(this.#settings.limits.closeTimeout, expired);
    deadline.start();
    return deadline;
  }

  #closeExpired(): void {
    const { closeTimeout } = this.#settings.limits;
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

  /** The peer has ended in order, at a message boundary. */
  inputEnded(info: EndInfo | undefined): void {
    const state = this.#state;
    if (state.name === "closed") return;
    const peerEnd: PeerEnd = { info };
    const isLast = state.outputError !== undefined || state.farewell?.isSaid || !this.#tellsEnd;
    if (isLast) {
      this.#state = { ...state, peerEnd };
      this.#finish(state.outputError);
    } else if (state.name === "closing") {
      this.#state = { ...state, peerEnd };
    } else {
      const deadline = this.#untilIdle();
      this.#state = state.name === "half-closed"
        ? { ...state, peerEnd, deadline }
        : { name: "peer ended", peerEnd, deadline };
    }
  }

  /** A deadline that closes when nothing was sent for `halfOpenTimeout` to a peer that has ended. */
  #untilIdle(): Deadline {
    const { halfOpenTimeout } = this.#settings.limits;
    const reason = `the peer ended, and nothing was sent for ${halfOpenTimeout} ms`;
    const deadline = new Deadline(halfOpenTimeout, () => this.close({ reason }), { idle: true });
    deadline.start();
    return deadline;
  }

  /** The framing has something to answer. Until the peer takes it, no more is read from the peer. */
  inputReplied(reply: Uint8Array): Promise<void> | undefined {
    return this.#state.name === "open" ? this.sender.answer(reply) : undefined;
  }

  /** A silent peer is to be asked. Neither end may say more after it has said its end. */
  ask(question: Uint8Array): boolean {
    return this.#state.name === "open" && this.sender.offerRaw(question);
  }

  /** The peer did not answer. */
  peerIsSilent(error: ConnectionLostError): void {
    this.receiver.stop({ error });
    this.#finish(error);
  }

  /** The stream broke, or the peer broke the rules. */
  inputFailed(error: LengthwiseError): void {
    this.#finish(error);
  }

  /** Sending has failed. Messages that the peer sent before it went may still be there to read. */
  outputFailed(outputError: LengthwiseError): void {
    const state = this.#state;
    if (state.name === "closed") return;
    const mayStillTalk = outputError instanceof ConnectionLostError &&
      outputError.cause !== undefined && state.peerEnd === undefined && state.name !== "closing";
    if (mayStillTalk) {
      const deadline = this.#afterCloseTimeout(() => this.#finish(outputError));
      this.#state = { name: "cut off", outputError, farewell: state.farewell, deadline };
    } else {
      this.#state = { ...state, outputError };
      this.#finish(outputError);
    }
  }

  /** The one place where a connection becomes closed. */
  #finish(error?: unknown): void {
    const last = this.#state;
    if (last.name === "closed") return;
    last.deadline?.clear();
    this.#liveness?.stop();
    this.#stopWatching?.();
    const failure = error ?? this.#refused;
    const reason = failure ?? new ConnectionClosedError(
      `Cannot use connection to ${this.#transport.remote}: it is closed`,
    );
    this.#state = { name: "closed", reason, outputError: last.outputError };
    this.receiver.stop(error === undefined ? undefined : { error });
    this.#part({ error, reason, canTell: last.farewell === undefined }, {
      ...endInfo(last.options, last.peerEnd?.info),
      ...(failure === undefined ? {} : { error: failure }),
    });
    this.#aborter?.abort(reason);
  }

  /** Closes the transport, and then resolves `closed`. */
  async #part(
    how: Pick<Parting, "error" | "reason" | "canTell">,
    info: Pick<CloseInfo, "code" | "reason" | "error">,
  ): Promise<void> {
    const { sender } = this;
    const { framing } = this.#settings;
    await part({ transport: this.#transport, sender, framing, ...how });
    const undeliveredBytes = sender.pendingBytes;
    this.#closeInfo = {
      clean: !("error" in info) && undeliveredBytes === 0 && sender.dropped === 0,
      ...info,
      undeliveredBytes,
      unreadBytes: this.receiver.discardedBytes,
    };
    this.#closed?.resolve(this.#closeInfo);
    for (const listener of this.#listeners) {
      listener.connectionClosed(this.#connection!, this.#closeInfo);
    }
    this.#listeners = NOBODY;
  }
}

function newFarewell(): Farewell {
  return { said: Promise.resolve(), isSaid: false };
}
