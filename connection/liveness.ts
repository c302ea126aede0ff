/** Whether a silent peer is still there, where the framing has a question for that. */

import type { Framing } from "../codec.ts";
import { ConnectionLostError } from "../errors.ts";
import { grainOf, Wakeup } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import type { ResolvedLimits } from "./limits.ts";
import type { Receiver } from "./receiver.ts";

/** Who asks, and is told. */
export interface LivenessOwner {
  readonly receiver: Receiver;
  /** Sends the question; returns whether it could be sent now. */
  ask(question: Uint8Array): boolean;
  /** The peer did not answer. */
  peerIsSilent(error: ConnectionLostError): void;
}

/**
 * Asks a peer that is silent, and gives it up when it stays silent. Everything that arrives is an
 * answer. Costs nothing per message: the timer looks at what has arrived when it fires.
 */
export class Liveness {
  readonly #owner: LivenessOwner;
  readonly #encodePing: () => Uint8Array;
  readonly #limits: ResolvedLimits;
  readonly #transport: Transport;
  readonly #timer: Wakeup;
  /** What had arrived when the peer was asked. */
  #asked: { readonly bytes: number } | undefined;

  /** Watches from now on. */
  constructor(
    owner: LivenessOwner,
    encodePing: () => Uint8Array,
    limits: ResolvedLimits,
    transport: Transport,
  ) {
    this.#owner = owner;
    this.#encodePing = encodePing;
    this.#limits = limits;
    this.#transport = transport;
    const grain = grainOf(Math.min(limits.pingInterval, limits.pongTimeout));
    this.#timer = new Wakeup(() => this.#look(), { idle: true, patient: true, grain });
    this.#lookIn(limits.pingInterval);
  }

  /** Ends the watching. */
  stop(): void {
    this.#timer.clear();
  }

  #look(): void {
    const { pingInterval, pongTimeout } = this.#limits;
    const { receiver } = this.#owner;
    const asked = this.#asked;
    this.#asked = undefined;
    // What this end does not read says nothing about the peer.
    if (receiver.isPaused) return this.#lookIn(pingInterval);
    const silence = Date.now() - receiver.lastSeenAt;
    if (asked !== undefined && receiver.bytes === asked.bytes) {
      return this.#owner.peerIsSilent(
        new ConnectionLostError(
          `Cannot receive from ${this.#transport.remote}: it did not answer a ping within ${pongTimeout} ms`,
        ),
      );
    }
    if (silence >= 0 && silence < pingInterval) return this.#lookIn(pingInterval - silence);
    // A peer that takes nothing is for `writeTimeout`.
    if (!this.#owner.ask(this.#encodePing())) return this.#lookIn(pingInterval);
    this.#asked = { bytes: receiver.bytes };
    this.#lookIn(pongTimeout);
  }

  #lookIn(delay: number): void {
    this.#timer.at(performance.now() + delay);
  }
}

/** Watches a peer whose framing can ask it; undefined for others. */
export function livenessOf(
  owner: LivenessOwner,
  framing: Framing,
  limits: ResolvedLimits,
  transport: Transport,
): Liveness | undefined {
  if (framing.encodePing === undefined) return undefined;
  return new Liveness(owner, () => framing.encodePing!(), limits, transport);
}
