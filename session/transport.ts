/** A session as a transport, for the program: what it reads and writes, and what it is told. */

import type { EndInfo, Framing } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { flushSoon } from "../connection/internal.ts";
import { ConnectionClosedError, ProtocolError, SessionLostError } from "../errors.ts";
import { handledRejection } from "../internal/handled.ts";
import type { Transport, TransportAbilities } from "../transport.ts";
import { SessionCode } from "./codes.ts";
import { Driver } from "./driver.ts";
import { ABORTED, lossOf } from "./loss.ts";
import type { Machine } from "./machine.ts";
import type { Lost, Outcome } from "./outcome.ts";
import { StatusBoard } from "./status.ts";
import { Waiters } from "./waiters.ts";
import type { Hello } from "./wire.ts";

/** Chunks from this size on are likely to be followed by others. */
const LARGE_CHUNK_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/** One end of a session, for a {@linkcode Session} to stand on. */
export class SessionTransport implements Transport {
  /** No single address: it is `remote`'s other end, whichever that is now. */
  readonly local = "";
  /** Settles when the session is over and its last carrier closed; never rejects. */
  readonly finished: Promise<void>;
  /**
   * What it is doing.
   *
   * @internal
   */
  readonly board: StatusBoard = new StatusBoard();
  /** The peer is who it proved to be on the first carrier, and its end what it said about that. */
  readonly abilities: TransportAbilities;
  /** Called when it has lost its carrier and wants another one. */
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
   * Drives a machine. {@linkcode SessionAcceptor} makes it, on a server.
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

  /** How long it is kept without a carrier, in milliseconds. */
  get retentionTime(): number {
    return this.#machine.retentionTime;
  }

  /** How long a question and its answer take, in milliseconds, smoothed. */
  get roundTripTime(): number | undefined {
    return this.#machine.heartbeat.roundTripTime;
  }

  /** Bytes that the peer is not known to have received. */
  get unacknowledgedBytes(): number {
    return this.#machine.out.unacknowledgedBytes;
  }

  /** How often it went on over another carrier. */
  get resumes(): number {
    return this.#machine.resumes;
  }

  /** Whether it has ended, in order or not. */
  get isOver(): boolean {
    return this.#state !== "open";
  }

  /** Whether it has a carrier on which both ends have greeted. */
  get isAttached(): boolean {
    return this.#machine.isAttached;
  }

  /** What was lost with the session, if it did not end in order. */
  get loss(): SessionLostError | undefined {
    return this.#failure instanceof SessionLostError ? this.#failure : undefined;
  }

  /** See {@linkcode Machine.progress}. */
  get progress(): number {
    return this.#machine.progress;
  }

  /** What a client that comes back is to be told, once the session is over. */
  get lastWord(): Uint8Array | undefined {
    return this.#machine.lastWord;
  }

  /** How messages are cut, to tell which ones were lost. */
  useFraming(framing: Framing): void {
    this.#framing = framing;
  }

  /**
   * Goes on with another carrier, in the place of the one before; on a server after the client's HELLO.
   * Resolves when both ends have greeted; rejects when the carrier fails before.
   *
   * @throws {TypeError} for a carrier whose framing cannot carry session frames.
   * @throws {SessionProtocolError} for a HELLO that is late, or cannot be; the carrier before it stays.
   * @internal
   */
  attach(carrier: Connection<Uint8Array>, hello?: Hello): Promise<void> {
    return this.#driver.attach(carrier, hello);
  }

  #detached(error: unknown): void {
    if (this.#state !== "open") return;
    this.board.show({ state: "reconnecting", error });
    this.onDetach?.(error);
  }

  /** The next chunk; undefined at the end. */
  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#take();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#machine.peerEnd !== undefined) return Promise.resolve(undefined);
    if (this.#state !== "open") return Promise.reject(this.#failure);
    return this.#waiters.read();
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#machine.take();
    if (chunk !== undefined && this.#machine.isAttached) this.#driver.pump();
    return chunk;
  }

  /** Takes the start of a chunk, when there is room. */
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

  /** Whether small frames wait for the turn of the event loop to end. */
  get scheduled(): boolean {
    return this.#driver.sendsOnlyFull;
  }

  /** Sends what waited for more. */
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

  /** Ends this end's stream; resolves when the peer has all of it. */
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

  /** Gives up, with what went wrong. */
  lose(state: string, cause?: unknown): void {
    this.#machine.lose(state, cause);
    this.#settle();
  }

  /** Without an error only when both ends have ended; else the peer is told that it is over. */
  close(error?: unknown): void {
    const machine = this.#machine;
    if (error !== undefined || !machine.isComplete) {
      // What went wrong here is nobody else's business, unless it was the peer.
      const text = error instanceof ProtocolError ? error.message : ABORTED;
      machine.abort(SessionCode.ABORTED, text, error);
    }
    this.#settle();
    const reason = error ?? new ConnectionClosedError("Cannot use session: it is closed");
    this.#failure ??= reason;
    this.#waiters.rejectAll(reason);
  }

  /** Does what the machine wants after something has happened. */
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

  /** The session has come to its end, by whatever way. */
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
