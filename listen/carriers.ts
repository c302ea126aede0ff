/** How the carriers of sessions come in: how each one is counted, and what a refusal costs. */

import type { Connection } from "../connection.ts";
import { SessionRefusedError } from "../errors.ts";
import {
  type Elsewhere,
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

/** Options of {@linkcode Carriers}. */
export interface CarriersOptions extends AdmissionLimits {
  /** Options of sessions. */
  readonly session: SessionOptions;
  /** The cluster of the server, for its sessions. */
  readonly elsewhere?: Elsewhere;
  /** Called for each carrier that is turned away. */
  onRefuse(refusal: Refusal): void;
}

/**
 * What a refusal costs an address, as a number of connections. After a restart of the server all
 * clients come back and their sessions are unknown. The server must not keep them out for that.
 */
const COSTS: Readonly<Record<number, number>> = {
  [SessionCode.DENIED]: PENALTY,
  [SessionCode.MALFORMED]: PENALTY,
  [SessionCode.UNKNOWN]: 1,
  [SessionCode.GONE]: 1,
};

/** Takes carriers in. Each one keeps the place that it was given when it was let in. */
export class Carriers {
  /** How many carriers were refused. */
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
      elsewhere: options.elsewhere,
      maxSessions: options.maxConnections,
      maxSessionsPerAddress: options.maxConnectionsPerAddress,
      addressOf: (carrier) => limitedAs(places.get(carrier)!.hostname),
      limitOf: (carrier, replaced) => places.get(carrier)!.limit(replaced && places.get(replaced)),
      onEnter: (carrier, replaced) =>
        places.get(carrier)!.greeted(replaced && places.get(replaced)),
      onRefuse: (refusal) => this.#refuse(refusal),
    });
  }

  /** The carriers that belong to no session yet and are not closed. */
  get greeting(): Iterable<Connection<Uint8Array>> {
    return this.#greeting;
  }

  /**
   * Waits for HELLO. Resolves to a new session. Resolves to undefined if the carrier has joined a
   * session that exists, here or on another server, or was refused.
   */
  async take(
    carrier: Connection<Uint8Array>,
    place: Place,
    signal: AbortSignal,
    isCarried: boolean,
  ): Promise<SessionTransport | undefined> {
    this.#places.set(carrier, place);
    this.#greeting.add(carrier);
    const transport = await this.#acceptor.accept(carrier, signal, isCarried);
    this.#greeting.delete(carrier);
    return transport;
  }

  /** Takes in no more carriers, and ends the sessions that have no carrier. */
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
