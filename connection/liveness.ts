/** Whether a silent peer is still there, where the framing has a question for that. */

import type { Framing } from "../codec.ts";
import { ConnectionLostError } from "../errors.ts";
import type { Distribution } from "../internal/distribution.ts";
import { grainOf, Wakeup } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import type { ResolvedLimits } from "./limits.ts";
import type { Receiver } from "./receiver.ts";

/** An answer has the bytes of the question, and a client's has a mask too. */
const MASK_BYTES = 4;

/** Who asks, and is told. */
export interface LivenessOwner {
  readonly receiver: Receiver;
  /** Sends the question; returns whether it could be sent now. */
  ask(question: Uint8Array): boolean;
  /** The peer did not answer. */
  peerIsSilent(error: ConnectionLostError): void;
}

/** A question that was asked. */
interface Asked {
  /** How many bytes had arrived then. */
  readonly bytes: number;
  /** How many bytes it has. */
  readonly question: number;
  /** When it was asked, in milliseconds since 1970. */
  readonly at: number;
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
  /** Where the time of an answer goes. */
  times: Distribution | undefined;
  /** Set when the peer was asked. */
  #asked: Asked | undefined;

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
    if (asked !== undefined) this.#measure(asked);
    if (silence >= 0 && silence < pingInterval) return this.#lookIn(pingInterval - silence);
    // A peer that takes nothing is for `writeTimeout`.
    const question = this.#encodePing();
    if (!this.#owner.ask(question)) return this.#lookIn(pingInterval);
    this.#asked = { bytes: receiver.bytes, question: question.length, at: Date.now() };
    this.#lookIn(pongTimeout);
  }

  /** If nothing but the answer has arrived since, it arrived when something was last seen. */
  #measure({ bytes, question, at }: Asked): void {
    const { receiver } = this.#owner;
    const more = receiver.bytes - bytes - question;
    if (more >= 0 && more <= MASK_BYTES) this.times?.add(Math.max(receiver.lastSeenAt - at, 0));
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
