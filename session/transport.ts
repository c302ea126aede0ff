/** A session as a transport: the program's side of the session. */

import type { EndInfo, Framing } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { flushSoon } from "../connection/internal.ts";
import { ConnectionClosedError, ProtocolError, SessionLostError } from "../errors.ts";
import type { Distribution } from "../internal/distribution.ts";
import { handledRejection } from "../internal/handled.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";
import type { Transport, TransportAbilities } from "../transport.ts";
import { RECEIVED } from "./blocks.ts";
import { SessionCode } from "./codes.ts";
import { Driver } from "./driver.ts";
import { ABORTED, lossOf } from "./loss.ts";
import type { Machine } from "./machine.ts";
import type { Lost, Outcome } from "./outcome.ts";
import { StatusBoard } from "./status.ts";
import { Waiters } from "./waiters.ts";
import type { Hello } from "./wire.ts";

/** After a chunk of at least this size, more chunks are likely to follow. */
const LARGE_CHUNK_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/** One end of a session, as the transport of a {@linkcode Session}. */
export class SessionTransport implements Transport {
  /** Empty, because the address of this end may change with each carrier. */
  readonly local = "";
  /** Resolves when the session is over and its last carrier is closed; never rejects. */
  readonly finished: Promise<void>;
  /**
   * The status of the session.
   *
   * @internal
   */
  readonly board: StatusBoard = new StatusBoard();
  /**
   * `peer` is the identity that the peer proved on the first carrier. `ended` is what it said at
   * its end.
   */
  readonly abilities: TransportAbilities;
  /** Called when the session has lost its carrier and needs another one. */
  onDetach: ((error: unknown) => void) | undefined;
  /** Called when the session is over. */
  onOver: (() => void) | undefined;

  readonly #machine: Machine;
  readonly #driver: Driver;
  readonly #resolveFinished: () => void;
  #framing: Framing | undefined;
  readonly #waiters = new Waiters();
  readonly #tryWrite = (chunk: Uint8Array, endsMessage: boolean) => this.#write(chunk, endsMessage);
  #state: "open" | "over" | "finished" = "open";
  #failure: unknown;

  /**
   * Drives a machine. On a server, {@linkcode SessionAcceptor} makes it.
   *
   * @internal
   */
  constructor(machine: Machine) {
    this.#machine = machine;
    const driver = this.#driver = new Driver(machine, {
      settle: () => this.#settle(),
      retryWrite: () => this.#waiters.retryWrite(this.#tryWrite),
      detached: (error) => this.#detached(error),
      closed: () => this.#finishIfOver(),
    });
    this.abilities = {
      blocks: machine.out.blocks,
      chunks: RECEIVED,
      get peer() {
        return driver.peer;
      },
      get ended() {
        return machine.peerEnd;
      },
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
  }

  /** The address of the peer on the last carrier. */
  get remote(): string {
    return this.#driver.remote;
  }

  /**
   * Who the peer is, as the server's program has said of the last carrier.
   *
   * @internal
   */
  get user(): unknown {
    return this.#driver.user;
  }

  /** How long the session is kept without a carrier, in milliseconds. */
  get retentionTime(): number {
    return this.#machine.retentionTime;
  }

  /** The smoothed time from a PING to its answer, in milliseconds. */
  get roundTripTime(): number | undefined {
    return this.#machine.heartbeat.roundTripTime;
  }

  /**
   * Adds each time from a PING to its answer to a distribution.
   *
   * @internal
   */
  measureRoundTrips(times: Distribution): void {
    this.#machine.heartbeat.times = times;
  }

  /** How many bytes the peer has not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#machine.out.unacknowledgedBytes;
  }

  /** How often the session has resumed on another carrier. */
  get resumes(): number {
    return this.#machine.resumes;
  }

  /** Whether the session has ended, in order or not. */
  get isOver(): boolean {
    return this.#state !== "open";
  }

  /** Whether the session has a carrier on which both ends have greeted. */
  get isAttached(): boolean {
    return this.#machine.isAttached;
  }

  /** The error with the messages that were lost, if the session did not end in order. */
  get loss(): SessionLostError | undefined {
    return this.#failure instanceof SessionLostError ? this.#failure : undefined;
  }

  /** See {@linkcode Machine.progress}. */
  get progress(): number {
    return this.#machine.progress;
  }

  /** After the session is over: what a client that comes back is told. */
  get lastWord(): Uint8Array | undefined {
    return this.#machine.lastWord;
  }

  /** Sets the framing, to find out which messages were lost. */
  useFraming(framing: Framing): void {
    this.#framing = framing;
  }

  /**
   * Goes on with another carrier, which replaces the one before. On a server, it is called after the
   * client's HELLO. Resolves when both ends have greeted. Rejects if the carrier fails before.
   *
   * @throws {TypeError} if the framing of the carrier cannot carry session frames.
   * @throws {SessionProtocolError} if the HELLO is late or invalid; then the carrier before stays.
   * @internal
   */
  attach(carrier: Connection<Uint8Array>, hello?: Hello, isElsewhere?: boolean): Promise<void> {
    return this.#driver.attach(carrier, hello, isElsewhere);
  }

  #detached(error: unknown): void {
    if (this.#state !== "open") return;
    this.board.show({ state: "reconnecting", error });
    this.onDetach?.(error);
  }

  /** The next chunk; undefined at the end. */
  read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    const chunk = this.#take(readTarget?.(BLOCK_BYTES));
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#machine.peerEnd !== undefined) return Promise.resolve(undefined);
    if (this.#state !== "open") return Promise.reject(this.#failure);
    return this.#waiters.read();
  }

  #take(target: Uint8Array | undefined): Uint8Array | undefined {
    const chunk = this.#machine.take(target);
    if (chunk !== undefined && this.#machine.isAttached) this.#driver.pump();
    return chunk;
  }

  /** Takes the start of a chunk. Waits while too many bytes are unacknowledged. */
  write(chunk: Uint8Array, endsMessage = false): Promise<number> {
    if (this.#state !== "open") return handledRejection(this.#failure);
    const bytes = this.#write(chunk, endsMessage);
    if (bytes > 0 || chunk.length === 0) return Promise.resolve(bytes);
    return this.#waiters.write(chunk, endsMessage);
  }

  #write(chunk: Uint8Array, endsMessage: boolean): number {
    const bytes = this.#machine.write(chunk, endsMessage);
    if (this.#waiters.hasFlushers) this.#machine.askForAck();
    if (bytes >= LARGE_CHUNK_BYTES && !this.scheduled) {
      this.#driver.sendsOnlyFull = true;
      flushSoon(this);
    }
    this.#driver.pump();
    return bytes;
  }

  /** Whether small frames wait for the end of this turn of the event loop. */
  get scheduled(): boolean {
    return this.#driver.sendsOnlyFull;
  }

  /** Sends the small frames that wait. */
  flush(): void {
    this.#driver.sendsOnlyFull = false;
    this.#driver.pump();
  }

  /** Resolves when the peer has received as many bytes as `target()` says. */
  acknowledged(target: () => number): Promise<void> {
    if (this.#machine.out.acked >= target()) return Promise.resolve();
    if (this.#state !== "open") return handledRejection(this.#failure);
    const reached = this.#waiters.acknowledged(target);
    this.#machine.askForAck();
    this.#driver.pump();
    return reached;
  }

  /** Ends this end's stream. Resolves when the peer has received all of it. */
  closeWrite(info: EndInfo = {}): Promise<void> {
    if (this.#state !== "open") return handledRejection(this.#failure);
    this.#machine.end(info);
    this.#driver.pump();
    return this.#waiters.end();
  }

  /** Tells the peer to go elsewhere. */
  drain(reason: string): void {
    if (this.#state !== "open") return;
    this.#machine.drain(reason);
    this.#driver.pump();
    this.#showAttached();
  }

  /** Gives the session up, and says what went wrong. */
  lose(state: string, cause?: unknown): void {
    this.#machine.lose(state, cause);
    this.#settle();
  }

  /** Closes. With an error, or before both ends have ended, tells the peer that the session is over. */
  close(error?: unknown): void {
    const machine = this.#machine;
    if (error !== undefined || !machine.isComplete) {
      // The peer is told the error only if the peer caused it.
      const text = error instanceof ProtocolError ? error.message : ABORTED;
      machine.abort(SessionCode.ABORTED, text, error);
    }
    this.#settle();
    const reason = error ?? new ConnectionClosedError("Cannot use session: it is closed");
    this.#failure ??= reason;
    this.#waiters.rejectAll(reason);
  }

  /** Call it after every event: does what the machine wants now. */
  #settle(): void {
    const machine = this.#machine;
    if (this.#driver.settleGreeting()) this.#showAttached();
    if (machine.drainReason !== undefined && this.board.current.state === "connected") {
      this.#showAttached();
    }
    this.#waiters.deliver(() => machine.take(), () => machine.peerEnd !== undefined);
    this.#waiters.retryWrite(this.#tryWrite);
    this.#waiters.received(machine.out.acked);
    if (machine.out.acked === machine.out.total) this.#waiters.ended();
    if (machine.outcome !== undefined && this.#state === "open") this.#over(machine.outcome);
    this.#driver.work();
  }

  #showAttached(): void {
    const { drainReason, isAttached } = this.#machine;
    if (!isAttached) return;
    if (drainReason === undefined) this.board.show({ state: "connected" });
    else this.board.show({ state: "draining", reason: drainReason });
  }

  /** The session has ended, in order or not. */
  #over(outcome: Outcome): void {
    this.#state = "over";
    if (outcome.kind === "closed") {
      this.#waiters.ended();
      const reason = this.#machine.peerEnd?.reason;
      this.board.show({ state: "closed", ...(reason === undefined ? {} : { reason }) });
      this.#failure ??= new ConnectionClosedError("Cannot use session: it is closed");
    } else {
      const { code } = outcome;
      const error = this.#failure ??= this.#lossOf(outcome);
      const isOwn = code === SessionCode.ABORTED && outcome.cause !== undefined;
      this.board.show({ state: isOwn ? "closed" : "lost", error });
    }
    this.#waiters.rejectAll(this.#failure);
    this.#driver.end(this.#failure);
    this.onOver?.();
    this.#finishIfOver();
  }

  #lossOf(outcome: Lost): SessionLostError {
    const unwritten = this.#waiters.unwritten ?? NOTHING;
    const messages = this.#framing === undefined
      ? []
      : this.#machine.out.takeUnacknowledged(this.#framing, unwritten);
    return lossOf(outcome, this.remote, messages);
  }

  #finishIfOver(): void {
    if (this.#state !== "over" || !this.#driver.isIdle) return;
    this.#state = "finished";
    this.#driver.stop();
    this.#resolveFinished();
  }
}
