/** Drives a session's machine: brings it frames and time, and its frames to a carrier. */

import type { Connection } from "../connection.ts";
import { ConnectionLostError } from "../errors.ts";
import { handledResolvers } from "../internal/handled.ts";
import { Wakeup } from "../internal/time.ts";
import type { PeerIdentity } from "../transport.ts";
import { checkCarrier } from "./carrier.ts";
import { replacedBy } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { Hello } from "./wire.ts";

/** How long the last carrier of a session that is lost may take for its last word, in milliseconds. */
const LAST_WORD_TIME = 1_000;
const clock = () => performance.now();

/** What the session is told by its driver. */
export interface Driven {
  /** The machine has learnt something. Calls `work()` in the end. */
  settle(): void;
  /** A frame is on its way: a write that waits may try again. */
  retryWrite(): void;
  /** A carrier is gone on which both ends had greeted. */
  detached(error: unknown): void;
  /** A carrier has closed. */
  closed(): void;
}

/**
 * The side of a session where its carriers and its timer are; the program's is `transport.ts`.
 *
 * - One carrier at a time is the session's. Others may still be closing; what they say is not heard.
 * - One pump at a time sends over it.
 */
export class Driver {
  /** The address of the peer on the last carrier. */
  remote = "";
  /** Who the peer proved to be on the first carrier. */
  peer: PeerIdentity | undefined;
  /** Whether small frames wait for more. */
  sendsOnlyFull = false;

  readonly #machine: Machine;
  readonly #session: Driven;
  readonly #wakeup: Wakeup;
  #carrier: Connection<Uint8Array> | undefined;
  /** Carriers that are not closed yet. */
  #open = 0;
  #greeting: PromiseWithResolvers<void> | undefined;
  #pumping: Connection<Uint8Array> | undefined;
  /** Runs from when the session is lost until its carriers are closed. */
  #partTimer: ReturnType<typeof setTimeout> | undefined;

  /** Tells the session what it learns. */
  constructor(machine: Machine, session: Driven) {
    this.#machine = machine;
    this.#session = session;
    this.#wakeup = new Wakeup((now) => {
      machine.timeout(now);
      session.settle();
    });
  }

  /** Whether there is no carrier any more that is not closed. */
  get isIdle(): boolean {
    return this.#open === 0;
  }

  /**
   * Goes on with another carrier, in the place of the one before; on a server after the client's HELLO.
   * Resolves when both ends have greeted; rejects when the carrier fails before.
   *
   * @throws {TypeError} for a carrier whose framing cannot carry session frames.
   * @throws {SessionProtocolError} for a HELLO that is late, or cannot be; the carrier before it stays.
   */
  attach(carrier: Connection<Uint8Array>, hello?: Hello): Promise<void> {
    checkCarrier(carrier);
    this.#machine.attach(performance.now(), hello);
    const { remote } = carrier;
    this.#greeting?.reject(replacedBy(remote));
    const replaced = this.#carrier;
    const greeting = this.#greeting = handledResolvers<void>();
    this.#carrier = carrier;
    this.#open++;
    this.remote = remote;
    this.peer ??= carrier.peer;
    replaced?.abort(replacedBy(remote));
    this.#run(carrier);
    this.#session.settle();
    return greeting.promise;
  }

  /** Reads from a carrier as long as it is the session's. */
  async #run(carrier: Connection<Uint8Array>): Promise<void> {
    try {
      for await (const batch of carrier.batches()) {
        if (carrier !== this.#carrier) break;
        const now = performance.now();
        for (const frame of batch) this.#machine.receive(frame, now);
        this.#session.settle();
      }
    } catch {
      // `closed` tells it too.
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

  /** Tells whoever attached the carrier, once, that both ends have greeted; returns whether it did. */
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

  /** Does what the machine wants: drops the carrier or sends over it, and wakes it in time. */
  work(): void {
    // Not after what is under way: that may be why.
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
      // The session has gathered what one turn sends. Acknowledgments must not wait until a socket
      // that is full is read empty.
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
    return out.hold(frame) ? carrier.sendInPlace(frame, out.blocks) : carrier.sendRaw(frame);
  }

  /**
   * The session is over. When it is lost, a peer that does not close, or takes no last word, is not
   * waited for as one that closes in order.
   */
  end(error: unknown): void {
    const { outcome } = this.#machine;
    const carrier = this.#carrier;
    const isLost = outcome?.kind === "lost";
    this.#endGreeting(isLost && outcome.cause || error);
    if (!isLost || carrier === undefined) return;
    this.#partTimer = setTimeout(() => carrier.abort(error), LAST_WORD_TIME);
  }

  /** All carriers are closed, and there will be no other. */
  stop(): void {
    this.#wakeup.clear();
    clearTimeout(this.#partTimer);
  }
}
