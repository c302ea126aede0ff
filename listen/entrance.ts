/** The way of a peer from an open endpoint to the server's connections. */

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

/** One open endpoint and the settings of its connections. */
export interface OpenEndpoint<T> {
  /** Accepts the peers. */
  readonly listener: TransportListener;
  /** The settings of its connections. */
  readonly settings: ConnectionSettings<T>;
  /** The settings of the carriers, if connections are sessions. */
  readonly carrier?: ConnectionSettings<Uint8Array>;
  /** The endpoint as a URL. */
  readonly name: string;
}

/** Options of an {@linkcode Entrance}. */
export interface EntranceOptions extends CarriersOptions {
  /** Called with errors of accepting. */
  onError(error: unknown): void;
  /** Time for a handshake, and then for the token, in milliseconds. */
  readonly handshakeTimeout: number;
  /** Asks for the token, if the server wants one. */
  readonly gate?: TokenGate;
  /** Wraps each transport before it is used. */
  readonly through?: (transport: Transport) => Transport;
}

/** The counts of a server that are made here. */
export type EntranceStats = Pick<ServerStats, "refused" | "refusals" | "dropped" | "acceptErrors">;

const MIN_ACCEPT_DELAY = 10;
const MAX_ACCEPT_DELAY = 1_000;

/**
 * Accepts peers and makes connections of them.
 *
 * A peer becomes a connection if no limit keeps it out, its handshake succeeds and it gives the
 * token. If the endpoint has sessions, it becomes a carrier, and a carrier that begins a session
 * becomes a `Session`. Each connection and session is handed on once. The entrance ends by itself
 * what it has not handed on. Of a connection that it has handed on, it knows only the place, and
 * gives the place free when the connection closes.
 */
export class Entrance<T> {
  readonly #endpoints: readonly OpenEndpoint<T>[];
  readonly #options: EntranceOptions;
  readonly #hand: (connection: Connection<T>) => void;
  readonly #admission: Admission;
  readonly #carriers: Carriers;
  /** Connections that have not given the token yet, and connections that are being turned away. */
  readonly #entering = new Set<Connection<T> | Connection<Uint8Array>>();
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();
  #state: "open" | "closed" = "open";
  #acceptErrors = 0;
  #failedHandshakes = 0;
  #wrongTokens = 0;

  /**
   * Begins to accept. `hand` is called with each connection that is in, but not before the
   * constructor has returned.
   */
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

  /**
   * Connections that are on the way in or are being turned away, and carriers that have not
   * greeted.
   */
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
   * Presents other certificates to the clients that connect from now on.
   *
   * @throws {TypeError} for certificates that cannot be used. The old ones stay then.
   */
  replaceCertificates(tls: TlsListenOptions): void {
    for (const { listener } of this.#endpoints) listener.replaceCertificates?.(tls);
  }

  /**
   * Accepts no more, closes the connections on the way in, and ends the sessions that have no
   * carrier. Resolves when all connections on the way in have ended, however long that takes. Call
   * it once.
   */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#stopping.abort();
    for (const { listener } of this.#endpoints) listener.close();
    this.#carriers.close();
    // Carriers that have not greeted are not closed here. They get a frame that says why, and their
    // tasks end with them.
    const closing = [...this.#entering].map((connection) =>
      connection.close({ reason: "the server is closing" })
    );
    await Promise.all([...closing, this.#tasks.over()]);
  }

  /** Accepts until the server closes. Nothing that happens to a single connection ends this. */
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
        // A shortage is reported once, and not at every attempt.
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

  /** Waits until a peer is ready for messages. Some peers never are. */
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

  #start(opened: Transport, place: Place, endpoint: OpenEndpoint<T>): void {
    const transport = this.#options.through?.(opened) ?? opened;
    const { settings, carrier: carrierSettings, name } = endpoint;
    if (carrierSettings !== undefined) {
      const carrier = new Connection<Uint8Array>(transport, carrierSettings, name);
      carrier.whenClosed(place);
      return this.#tasks.own(this.#takeCarrier(carrier, place, settings));
    }
    const connection = new Connection<T>(transport, settings, name);
    connection.whenClosed(place);
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

  /** Lets a carrier continue its session or begin a new one. */
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
    // The client was told that it has a session, and the server has begun to close since then.
    this.#watch(session);
    await session.close({ reason: "the server is closing" });
  }

  /** Keeps a connection in the set until it has closed or is handed on. */
  #watch(connection: Connection<T> | Connection<Uint8Array>): void {
    this.#entering.add(connection);
    connection.closed.then(() => this.#entering.delete(connection));
  }

  /**
   * Waits for the token and tells whether it was right. A connection without it stays in the set
   * until it has closed.
   */
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
