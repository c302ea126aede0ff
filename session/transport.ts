/** A session as a transport: the machine, its carrier, its timer, and who waits for it. */

import type { Blocks } from "../blocks.ts";
import { flushSoon } from "../connection/flush.ts";
import { handledRejection, handledResolvers } from "../connection/handled.ts";
import type { Connection } from "../connection.ts";
import type { EndInfo, Framing } from "../codec.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  ProtocolError,
  SessionLostError,
} from "../errors.ts";
import type { PeerIdentity, Transport } from "../transport.ts";
import { checkCarrier } from "./carrier.ts";
import { SessionCode } from "./codes.ts";
import { ABORTED, lossOf } from "./loss.ts";
import type { Machine } from "./machine.ts";
import type { Lost, Outcome } from "./outcome.ts";
import { StatusBoard } from "./status.ts";
import { Waiters } from "./waiters.ts";
import { Wakeup } from "./wakeup.ts";
import type { Hello } from "./wire.ts";

/** Chunks from this size on are likely to be followed by others. */
const LARGE_CHUNK_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);
const clock = () => performance.now();
/** How long the last carrier of a session that is lost may take for its last word, in milliseconds. */
const LAST_WORD_TIME = 1_000;

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
  /**
   * Memory for what is written.
   *
   * @internal
   */
  readonly blocks: Blocks;
  /** Called when it has lost its carrier and wants another one. */
  onDetach: ((error: unknown) => void) | undefined;
  /** Called when the session is over. */
  onOver: (() => void) | undefined;

  readonly #machine: Machine;
  readonly #resolveFinished: () => void;
  readonly #wakeup: Wakeup;
  #framing: Framing | undefined;
  #carrier: Connection<Uint8Array> | undefined;
  /** Carriers that are not closed yet. */
  #closing = 0;
  #greeting: PromiseWithResolvers<void> | undefined;
  #remote = "";
  #peer: PeerIdentity | undefined;
  readonly #waiters = new Waiters();
  #pumping: Connection<Uint8Array> | undefined;
  #state: "open" | "over" | "finished" = "open";
  #failure: unknown;
  /** Runs from when the session is lost until its carriers are closed. */
  #partTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether small frames wait for the turn of the event loop to end. */
  scheduled = false;

  /** Drives a machine. */
  constructor(machine: Machine) {
    this.#machine = machine;
    this.blocks = machine.out.blocks;
    this.#wakeup = new Wakeup((now) => {
      machine.timeout(now);
      this.#settle();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
  }

  /** The address of the peer on the last carrier. */
  get remote(): string {
    return this.#remote;
  }

  /** Who the peer proved to be on the first carrier. */
  get peer(): PeerIdentity | undefined {
    return this.#peer;
  }

  /** What the peer said about its end, once everything before it was read. */
  get ended(): EndInfo | undefined {
    return this.#machine.peerEnd;
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
    checkCarrier(carrier);
    this.#machine.attach(performance.now(), hello);
    this.#greeting?.reject(replacedBy(carrier.remote));
    const replaced = this.#carrier;
    const greeting = this.#greeting = handledResolvers<void>();
    this.#carrier = carrier;
    this.#closing++;
    this.#remote = carrier.remote;
    this.#peer ??= carrier.peer;
    replaced?.abort(replacedBy(this.#remote));
    this.#run(carrier);
    this.#settle();
    return greeting.promise;
  }

  /** Reads from a carrier as long as it is the session's. */
  async #run(carrier: Connection<Uint8Array>): Promise<void> {
    try {
      for await (const batch of carrier.batches()) {
        if (carrier !== this.#carrier) break;
        const now = performance.now();
        for (const frame of batch) this.#machine.receive(frame, now);
        this.#settle();
      }
    } catch {
      // `closed` tells it too.
    }
    const { clean, error } = await carrier.close();
    this.#closing--;
    if (carrier === this.#carrier) this.#detached(clean, error);
    this.#finishIfOver();
  }

  #detached(isOrderly: boolean, error: unknown): void {
    const { carrierState } = this.#machine;
    const failure = typeof carrierState === "object" ? carrierState.error : error ??
      new ConnectionLostError(`Cannot go on with ${this.#remote}: it closed the carrier`);
    const wasAttached = this.#machine.isAttached;
    this.#carrier = undefined;
    this.#machine.detach(performance.now(), isOrderly);
    this.#greeting?.reject(failure);
    this.#greeting = undefined;
    this.#settle();
    if (this.#state !== "open" || !wasAttached) return;
    this.board.show({ state: "reconnecting", error: failure });
    this.onDetach?.(failure);
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
    if (chunk !== undefined && this.#machine.isAttached) this.#pump();
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
      this.scheduled = true;
      flushSoon(this);
    }
    this.#pump();
    return bytes;
  }

  /** Sends what waited for more. */
  flush(): void {
    this.scheduled = false;
    this.#pump();
  }

  /** Resolves when the peer has received as many bytes as `target()` says. */
  acknowledged(target: () => number): Promise<void> {
    if (this.#machine.out.acked >= target()) return Promise.resolve();
    if (this.#state !== "open") return handledRejection(this.#failure);
    const reached = this.#waiters.acknowledged(target);
    this.#machine.askForAck();
    this.#pump();
    return reached;
  }

  /** Ends this end's stream; resolves when the peer has all of it. */
  closeWrite(info: EndInfo = {}): Promise<void> {
    if (this.#state !== "open") return handledRejection(this.#failure);
    this.#machine.end(info);
    this.#pump();
    return this.#waiters.end();
  }

  /** Tells the peer to go elsewhere. */
  drain(reason: string): void {
    if (this.#state !== "open") return;
    this.#machine.drain(reason);
    this.#pump();
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
    if (machine.isAttached && this.#greeting !== undefined && machine.outcome?.kind !== "lost") {
      this.#greeting.resolve();
      this.#greeting = undefined;
      this.#showAttached();
    }
    if (machine.drainReason !== undefined && this.board.current.state === "connected") {
      this.#showAttached();
    }
    this.#waiters.deliver(() => machine.take(), () => machine.peerEnd !== undefined);
    this.#offerRoom();
    this.#waiters.received(machine.out.acked);
    if (machine.out.acked === machine.out.total) this.#waiters.ended();
    if (machine.outcome !== undefined && this.#state === "open") this.#over(machine.outcome);
    // Not after what is under way: that may be why.
    const { carrierState } = machine;
    if (typeof carrierState === "object") this.#carrier?.abort(carrierState.error);
    this.#pump();
    this.#wakeup.at(machine.deadline);
  }

  #offerRoom(): void {
    this.#waiters.offerRoom((chunk, endsMessage) => this.#write(chunk, endsMessage));
  }

  /** Sends frames while the carrier takes them. */
  async #pump(): Promise<void> {
    const carrier = this.#carrier;
    if (carrier === undefined || carrier === this.#pumping) return;
    this.#pumping = carrier;
    try {
      for (;;) {
        const frame = this.#machine.poll(clock, this.scheduled);
        if (frame === undefined) break;
        const room = this.#send(carrier, frame);
        if (this.#waiters.hasWriter) this.#offerRoom();
        await room;
        if (carrier !== this.#carrier) return;
      }
      // The session has gathered what one turn sends. Acknowledgments must not wait until a socket that is full is read empty.
      carrier.flush();
    } catch (error) {
      carrier.abort(error); // It has failed already, most of the time.
    } finally {
      if (this.#pumping === carrier) this.#pumping = undefined;
    }
    if (this.#machine.carrierState === "close") carrier.close();
    this.#wakeup.at(this.#machine.deadline);
  }

  #send(carrier: Connection<Uint8Array>, frame: Uint8Array): Promise<void> {
    const { out } = this.#machine;
    return out.hold(frame)
      ? carrier.sendInPlace(frame, () => out.blocks.recycle(frame))
      : carrier.sendRaw(frame);
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
    this.#greeting?.reject(outcome.kind === "lost" && outcome.cause || this.#failure);
    this.#greeting = undefined;
    if (outcome.kind === "lost" && this.#carrier !== undefined) this.#partSoon(this.#carrier);
    this.onOver?.();
    this.#finishIfOver();
  }

  /** A peer that does not close, or takes no last word, is not waited for as one that closes in order. */
  #partSoon(carrier: Connection<Uint8Array>): void {
    this.#partTimer = setTimeout(() => carrier.abort(this.#failure), LAST_WORD_TIME);
  }

  #lossOf(outcome: Lost): SessionLostError {
    const unwritten = this.#waiters.unwritten ?? NOTHING;
    const messages = this.#framing === undefined
      ? []
      : this.#machine.out.takeUnacknowledged(this.#framing, unwritten);
    return lossOf(outcome, this.#remote, messages);
  }

  #finishIfOver(): void {
    if (this.#state !== "over" || this.#closing > 0) return;
    this.#state = "finished";
    this.#wakeup.clear();
    clearTimeout(this.#partTimer);
    this.#resolveFinished();
  }
}

function replacedBy(remote: string): ConnectionClosedError {
  return new ConnectionClosedError(`Cannot use carrier: another one, of ${remote}, replaced it`);
}
