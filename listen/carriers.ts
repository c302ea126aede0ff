/** How the carriers of sessions come in: who is counted how, and what a refusal costs. */

import type { Connection } from "../connection.ts";
import { SessionRefusedError } from "../errors.ts";
import {
  SessionAcceptor,
  SessionCode,
  type SessionOptions,
  type SessionRefusal,
  type SessionTransport,
} from "../session.ts";
import { isRetriableCode } from "../session/internal.ts";
import { type Admission, type AdmissionLimits, limitedAs, PENALTY } from "./admission.ts";
import type { Place } from "./place.ts";
import type { Refusal } from "./types.ts";

/** What {@linkcode Carriers} are made with. */
export interface CarriersOptions extends AdmissionLimits {
  /** Options of sessions. */
  readonly session: SessionOptions;
  /** Told of carriers that are turned away. */
  onRefuse(refusal: Refusal): void;
}

/**
 * What refusals cost an address, in connections. After a restart all that were here come back and are
 * not known: they must not be kept out for it.
 */
const COSTS: Readonly<Record<number, number>> = {
  [SessionCode.DENIED]: PENALTY,
  [SessionCode.MALFORMED]: PENALTY,
  [SessionCode.UNKNOWN]: 1,
};

/** Takes carriers in, each in the place that it was let in with. */
export class Carriers {
  /** How many were refused. */
  refused = 0;
  readonly #admission: Admission;
  readonly #onRefuse: (refusal: Refusal) => void;
  readonly #acceptor: SessionAcceptor;
  readonly #places = new WeakMap<Connection<Uint8Array>, Place>();
  readonly #greeting = new Set<Connection<Uint8Array>>();

  /** Makes an empty table of sessions. */
  constructor(admission: Admission, options: CarriersOptions) {
    const places = this.#places;
    this.#admission = admission;
    this.#onRefuse = options.onRefuse;
    this.#acceptor = new SessionAcceptor({
      ...options.session,
      maxSessions: options.maxConnections,
      maxSessionsPerAddress: options.maxConnectionsPerAddress,
      addressOf: (carrier) => limitedAs(places.get(carrier)!.hostname),
      limitOf: (carrier, replaced) => places.get(carrier)!.limit(replaced && places.get(replaced)),
      onEnter: (carrier, replaced) =>
        places.get(carrier)!.greeted(replaced && places.get(replaced)),
      onRefuse: (refusal) => this.#refuse(refusal),
    });
  }

  /** Those that are neither a session's nor closed yet. */
  get greeting(): Iterable<Connection<Uint8Array>> {
    return this.#greeting;
  }

  /** Waits for HELLO. Resolves to a new session, or to undefined when the carrier is taken care of. */
  async take(
    carrier: Connection<Uint8Array>,
    place: Place,
    signal: AbortSignal,
  ): Promise<SessionTransport | undefined> {
    this.#places.set(carrier, place);
    this.#greeting.add(carrier);
    const transport = await this.#acceptor.accept(carrier, signal);
    this.#greeting.delete(carrier);
    return transport;
  }

  /** Takes no more in, and ends the sessions that have no carrier. */
  close(): void {
    this.#acceptor.close();
  }

  #refuse({ carrier, endpoint, code, reason }: SessionRefusal): void {
    const { hostname } = this.#places.get(carrier)!;
    const cost = COSTS[code];
    if (cost !== undefined) this.#admission.penalize(hostname, cost);
    this.refused++;
    const error = new SessionRefusedError(reason, code, isRetriableCode(code));
    this.#onRefuse({ hostname, endpoint, reason: "session", error });
  }
}
