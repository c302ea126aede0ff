/** Drives a session's machine: passes frames and the time to it, and sends its frames on a carrier. */

import type { Connection } from "../connection.ts";
import { ConnectionLostError } from "../errors.ts";
import { handledResolvers } from "../internal/handled.ts";
import { Wakeup } from "../internal/time.ts";
import type { PeerIdentity } from "../transport.ts";
import { checkCarrier } from "./carrier.ts";
import { replacedBy } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { Hello } from "./wire.ts";

/** How long the last carrier of a lost session may take to send its last word, in milliseconds. */
const LAST_WORD_TIME = 1_000;
const clock = () => performance.now();

/** The session, which its driver calls. */
export interface Driven {
  /** The machine has changed. Calls `work()` at the end. */
  settle(): void;
  /** A frame is on its way: a write that waits may try again. */
  retryWrite(): void;
  /** The carrier has gone, after both ends had greeted on it. */
  detached(error: unknown): void;
  /** A carrier has closed. */
  closed(): void;
}

/**
 * The carriers' side of a session, with its timer. The program's side is in `transport.ts`.
 *
 * - One carrier at a time is the session's carrier. Earlier carriers may still be closing; their frames
 *   are ignored.
 * - One `pump()` at a time sends on the carrier.
 */
export class Driver {
  /** The address of the peer on the last carrier. */
  remote = "";
  /** The identity that the peer has proved on the first carrier. */
  peer: PeerIdentity | undefined;
  /** Who the peer is on the last carrier, as the server's program says. */
  user: unknown;
  /** Whether only full frames are sent, and small ones wait for more bytes. */
  sendsOnlyFull = false;

  readonly #machine: Machine;
  readonly #session: Driven;
  readonly #wakeup: Wakeup;
  #carrier: Connection<Uint8Array> | undefined;
  /** How many carriers are not closed yet. */
  #open = 0;
  #greeting: PromiseWithResolvers<void> | undefined;
  #pumping: Connection<Uint8Array> | undefined;
  /** Runs after the session was lost, until its carriers are closed. */
  #partTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the machine to drive, and the session to call. */
  constructor(machine: Machine, session: Driven) {
    this.#machine = machine;
    this.#session = session;
    this.#wakeup = new Wakeup((now) => {
      machine.timeout(now);
      session.settle();
    });
  }

  /** Whether all carriers are closed. */
  get isIdle(): boolean {
    return this.#open === 0;
  }

  /**
   * Goes on with another carrier, which replaces the one before. On a server, it is called after the
   * client's HELLO. Resolves when both ends have greeted. Rejects if the carrier fails before.
   *
   * @throws {TypeError} if the framing of the carrier cannot carry session frames.
   * @throws {SessionProtocolError} if the HELLO is late or invalid; then the carrier before stays.
   */
  attach(carrier: Connection<Uint8Array>, hello?: Hello, isElsewhere = false): Promise<void> {
    checkCarrier(carrier);
    this.#machine.attach(performance.now(), hello, isElsewhere);
    const { remote } = carrier;
    this.#greeting?.reject(replacedBy(remote));
    const replaced = this.#carrier;
    const greeting = this.#greeting = handledResolvers<void>();
    this.#carrier = carrier;
    this.#open++;
    this.remote = remote;
    this.peer ??= carrier.peer;
    this.user = carrier.user;
    replaced?.abort(replacedBy(remote));
    this.#run(carrier);
    this.#session.settle();
    return greeting.promise;
  }

  /** Reads from a carrier, as long as it is the session's carrier. */
  async #run(carrier: Connection<Uint8Array>): Promise<void> {
    try {
      for await (const batch of carrier.rawBatches()) {
        if (carrier !== this.#carrier) break;
        const now = performance.now();
        for (let i = 0; i < batch.length; i++) this.#machine.receive(batch.at(i)!, now);
        this.#session.settle();
        if (!this.#machine.in.takeKept()) batch.recycle();
      }
    } catch {
      // `close()` below gives the error.
    }
    const { clean, error } = await carrier.close();
    this.#open--;
    if (carrier === this.#carrier) this.#detach(clean, error);
    this.#session.closed();
  }

  #detach(isOrderly: boolean, error: unknown): void {
    const { carrierState, isAttached } = this.#machine;
    const failure = typeof carrierState === "object" ? carrierState.error : error ??
      new ConnectionLostError(`Cannot go on with ${this.remote}: it closed the carrier`);
    this.#carrier = undefined;
    this.#machine.detach(performance.now(), isOrderly);
    this.#endGreeting(failure);
    this.#session.settle();
    if (isAttached) this.#session.detached(failure);
  }

  /** Resolves the promise of `attach()` if both ends have greeted. Returns whether it did so now. */
  settleGreeting(): boolean {
    const { isAttached, outcome } = this.#machine;
    if (this.#greeting === undefined || !isAttached || outcome?.kind === "lost") return false;
    this.#greeting.resolve();
    this.#greeting = undefined;
    return true;
  }

  #endGreeting(error: unknown): void {
    this.#greeting?.reject(error);
    this.#greeting = undefined;
  }

  /** Does what the machine wants: drops the carrier, or sends on it, and sets the timer. */
  work(): void {
    // At once, without waiting for a write that is under way: that may be the reason.
    const { carrierState } = this.#machine;
    if (typeof carrierState === "object") this.#carrier?.abort(carrierState.error);
    this.pump();
    this.#wakeup.at(this.#machine.deadline);
  }

  /** Sends frames while the carrier takes them. */
  async pump(): Promise<void> {
    const carrier = this.#carrier;
    if (carrier === undefined || carrier === this.#pumping) return;
    this.#pumping = carrier;
    try {
      for (;;) {
        const frame = this.#machine.poll(clock, this.sendsOnlyFull);
        if (frame === undefined) break;
        const ready = this.#send(carrier, frame);
        this.#session.retryWrite();
        await ready;
        if (carrier !== this.#carrier) return;
      }
      // The session has collected all frames of this turn. Without a flush, acknowledgments would wait
      // as long as the socket still has data to read.
      carrier.flush();
    } catch (error) {
      carrier.abort(error); // Most of the time it has failed already.
    } finally {
      if (this.#pumping === carrier) this.#pumping = undefined;
    }
    if (this.#machine.carrierState === "close") carrier.close();
    this.#wakeup.at(this.#machine.deadline);
  }

  #send(carrier: Connection<Uint8Array>, frame: Uint8Array): Promise<void> {
    const { out } = this.#machine;
    return out.hold(frame) ? carrier.sendInPlace(frame, out.blocks) : carrier.sendRaw(frame);
  }

  /**
   * The session is over. If it is lost, the carrier has only a short time to send the last word and to
   * close; then it is aborted.
   */
  end(error: unknown): void {
    const { outcome } = this.#machine;
    const carrier = this.#carrier;
    const isLost = outcome?.kind === "lost";
    this.#endGreeting(isLost && outcome.cause || error);
    if (!isLost || carrier === undefined) return;
    this.#partTimer = setTimeout(() => carrier.abort(error), LAST_WORD_TIME);
  }

  /** All carriers are closed, and no other will come. */
  stop(): void {
    this.#wakeup.clear();
    clearTimeout(this.#partTimer);
  }
}
