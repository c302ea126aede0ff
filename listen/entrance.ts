/** The way in: what becomes of a peer between an open endpoint and the server's connections. */

import { delay } from "@std/async/delay";
import { Connection } from "../connection.ts";
import type { ConnectionSettings } from "../connection/internal.ts";
import { Session } from "../session.ts";
import type { TlsListenOptions, Transport } from "../transport.ts";
import { Admission } from "./admission.ts";
import { Carriers, type CarriersOptions } from "./carriers.ts";
import { HandshakeDeadline } from "./handshake.ts";
import { Place } from "./place.ts";
import { Tasks } from "./tasks.ts";
import type { TokenGate } from "./token_gate.ts";
import type { ServerStats } from "./types.ts";
import type { AcceptedPeer, TransportListener } from "../transport/internal.ts";

/** One open endpoint with what its connections are made with. */
export interface OpenEndpoint<T> {
  /** What accepts. */
  readonly listener: TransportListener;
  /** What the connections are made with. */
  readonly settings: ConnectionSettings<T>;
  /** What the carriers of sessions are made with, where connections are sessions. */
  readonly carrier?: ConnectionSettings<Uint8Array>;
  /** The endpoint as a URL. */
  readonly name: string;
}

/** What an {@linkcode Entrance} is made with. */
export interface EntranceOptions extends CarriersOptions {
  /** Where errors of accepting go. */
  onError(error: unknown): void;
  /** Time for a handshake, and then for the token, in milliseconds. */
  readonly handshakeTimeout: number;
  /** Asks for the token, if there is one. */
  readonly gate?: TokenGate;
}

/** What of a server's counts is counted on the way in. */
export type EntranceStats = Pick<ServerStats, "refused" | "refusals" | "dropped" | "acceptErrors">;

const MIN_ACCEPT_DELAY = 10;
const MAX_ACCEPT_DELAY = 1_000;

/**
 * Accepts peers, and makes connections of those that there is a place for, that finish the handshake
 * and give the token; where carriers come in, sessions of those that begin one. Hands each of these
 * on once. What it has not handed on is its own to end; of the rest it only knows the place, which
 * is left when the connection closes.
 */
export class Entrance<T> {
  readonly #endpoints: readonly OpenEndpoint<T>[];
  readonly #options: EntranceOptions;
  readonly #hand: (connection: Connection<T>) => void;
  readonly #admission: Admission;
  readonly #carriers: Carriers;
  /** Those that have yet to give the token, or are being turned away. */
  readonly #entering = new Set<Connection<T> | Connection<Uint8Array>>();
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();
  #state: "open" | "closed" = "open";
  #acceptErrors = 0;
  #failedHandshakes = 0;
  #wrongTokens = 0;

  /** Begins to accept. `hand` takes those that are in; not before the constructor has returned. */
  constructor(
    endpoints: readonly OpenEndpoint<T>[],
    options: EntranceOptions,
    hand: (connection: Connection<T>) => void,
  ) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#hand = hand;
    this.#admission = new Admission(options);
    this.#carriers = new Carriers(this.#admission, options);
    for (const endpoint of endpoints) this.#tasks.own(this.#acceptAll(endpoint));
  }

  /** Connections on the way in, or on the way out again, and carriers that have yet to greet. */
  *connections(): Iterable<Connection<T> | Connection<Uint8Array>> {
    yield* this.#entering;
    yield* this.#carriers.greeting;
  }

  /** Counts as of now. */
  get stats(): EntranceStats {
    const refusals = {
      ...this.#admission.refusals,
      handshake: this.#failedHandshakes,
      token: this.#wrongTokens,
      session: this.#carriers.refused,
    };
    return {
      refused: Object.values(refusals).reduce((sum, count) => sum + count),
      refusals,
      dropped: this.#endpoints.reduce((sum, { listener }) => sum + (listener.dropped ?? 0), 0),
      acceptErrors: this.#acceptErrors,
    };
  }

  /**
   * Presents other certificates to clients that come from now on.
   *
   * @throws {TypeError} for certificates that cannot be used; then the old ones stay.
   */
  replaceCertificates(tls: TlsListenOptions): void {
    for (const { listener } of this.#endpoints) listener.replaceCertificates?.(tls);
  }

  /**
   * Accepts no more, closes what is on the way, and ends the sessions that have no carrier. Resolves
   * when all that was on the way has ended, however long that takes. To be called once.
   */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#stopping.abort();
    for (const { listener } of this.#endpoints) listener.close();
    this.#carriers.close();
    // Not carriers that have yet to greet: they are told by a frame, and their tasks end with them.
    const closing = [...this.#entering].map((connection) =>
      connection.close({ reason: "the server is closing" })
    );
    await Promise.all([...closing, ...this.#tasks]);
  }

  /** Accepts until the server closes, whatever happens to single connections. */
  async #acceptAll(endpoint: OpenEndpoint<T>): Promise<void> {
    let wait = 0;
    while (this.#state === "open") {
      try {
        const peer = await endpoint.listener.accept();
        wait = 0;
        this.#admit(peer, endpoint);
      } catch (error) {
        if (this.#state !== "open") return;
        this.#acceptErrors++;
        // Once per shortage, not once per attempt.
        if (wait === 0) this.#options.onError(error);
        wait = Math.min(wait * 2 || MIN_ACCEPT_DELAY, MAX_ACCEPT_DELAY);
        await delay(wait, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
  }

  #admit(peer: AcceptedPeer, endpoint: OpenEndpoint<T>): void {
    const { hostname } = peer;
    if (this.#state !== "open") return peer.refuse();
    const kind = endpoint.carrier === undefined ? "connections" : "greeting";
    const limit = this.#admission.enter(hostname, kind);
    if (limit !== undefined) {
      peer.refuse();
      this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: limit });
      return;
    }
    const place = new Place(this.#admission, hostname, kind);
    try {
      const deadline = new HandshakeDeadline(this.#options.handshakeTimeout, this.#stopping.signal);
      const transport = peer.open(deadline);
      if (!(transport instanceof Promise)) return this.#start(transport, place, endpoint);
      this.#tasks.own(
        this.#finishHandshake(transport, peer, place, endpoint).finally(() => deadline.clear()),
      );
    } catch (error) {
      place.leave();
      peer.refuse();
      throw error;
    }
  }

  /** Waits until a peer is ready for messages, which may be never. */
  async #finishHandshake(
    opening: Promise<Transport | undefined>,
    peer: AcceptedPeer,
    place: Place,
    endpoint: OpenEndpoint<T>,
  ): Promise<void> {
    const { hostname } = place;
    try {
      const transport = await opening;
      if (transport !== undefined && this.#state === "open") {
        return this.#start(transport, place, endpoint);
      }
      transport?.close();
      place.leave();
    } catch (error) {
      place.leave();
      peer.refuse();
      if (this.#state !== "open") return;
      this.#failedHandshakes++;
      this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: "handshake", error });
    }
  }

  #start(transport: Transport, place: Place, endpoint: OpenEndpoint<T>): void {
    const { settings, carrier: carrierSettings, name } = endpoint;
    if (carrierSettings !== undefined) {
      const carrier = new Connection<Uint8Array>(transport, carrierSettings, name);
      carrier.closed.then(() => place.leave());
      return this.#tasks.own(this.#takeCarrier(carrier, place, settings));
    }
    const connection = new Connection<T>(transport, settings, name);
    connection.closed.then(() => place.leave());
    const { gate } = this.#options;
    if (gate === undefined) this.#hand(connection);
    else this.#tasks.own(this.#handAfterToken(connection, gate, place));
  }

  async #handAfterToken(connection: Connection<T>, gate: TokenGate, place: Place): Promise<void> {
    const isLetIn = await this.#isLetIn(connection, gate.ask(connection), place);
    if (!isLetIn || this.#state !== "open") return;
    this.#entering.delete(connection);
    this.#hand(connection);
  }

  /** Lets a carrier go on with its session, or begin one. */
  async #takeCarrier(
    carrier: Connection<Uint8Array>,
    place: Place,
    settings: ConnectionSettings<T>,
  ): Promise<void> {
    const { gate } = this.#options;
    if (gate !== undefined) {
      if (!await this.#isLetIn(carrier, gate.askCarrier(carrier), place)) return;
      this.#entering.delete(carrier);
    }
    const transport = await this.#carriers.take(carrier, place, this.#stopping.signal);
    if (transport === undefined) return;
    const session = new Session<T>(transport, settings, carrier.endpoint);
    if (this.#state === "open") return this.#hand(session);
    // The server has begun to close since the client was told that it has a session.
    this.#watch(session);
    await session.close({ reason: "the server is closing" });
  }

  /** Keeps a connection in sight as long as no one else does. */
  #watch(connection: Connection<T> | Connection<Uint8Array>): void {
    this.#entering.add(connection);
    connection.closed.then(() => this.#entering.delete(connection));
  }

  /** Waits whether a connection gives the token; one that does not is in sight until it is closed. */
  async #isLetIn(
    connection: Connection<T> | Connection<Uint8Array>,
    asking: Promise<boolean>,
    { hostname }: Place,
  ): Promise<boolean> {
    this.#watch(connection);
    const isRight = await asking;
    if (this.#state !== "open") return false;
    if (isRight) return true;
    this.#wrongTokens++;
    this.#admission.penalize(hostname);
    this.#options.onRefuse({ hostname, endpoint: connection.endpoint, reason: "token" });
    return false;
  }
}
