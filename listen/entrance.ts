/** The way of a peer from an open endpoint to the server's connections. */

import { delay } from "@std/async/delay";
import { Connection } from "../connection.ts";
import type { ConnectionSettings } from "../connection/internal.ts";
import { RefusedError } from "../errors.ts";
import { Session } from "../session.ts";
import type { TlsListenOptions, Transport } from "../transport.ts";
import { Admission, type CountName, type Limit } from "./admission.ts";
import { Carriers, type CarriersOptions } from "./carriers.ts";
import { HandshakeDeadline } from "./handshake.ts";
import { Place } from "./place.ts";
import { Questions, type QuestionsOptions, type Visit } from "./questions.ts";
import type { OpenEndpoint, Road } from "./road.ts";
import { Tasks } from "./tasks.ts";
import type { Refusal, ServerStats } from "./types.ts";
import { type AcceptedPeer, SESSION_SUBPROTOCOL } from "../transport/internal.ts";

/** Options of an {@linkcode Entrance}. */
export interface EntranceOptions extends CarriersOptions, QuestionsOptions {
  /** Called with errors of accepting. */
  onError(error: unknown): void;
  /** Time for a handshake, and then for the token, in milliseconds. */
  readonly handshakeTimeout: number;
  /** Called for each connection that is turned away. */
  onRefuse(refusal: Refusal): void;
  /** Aborted when the server closes. */
  readonly stopping?: AbortController;
  /** Wraps each transport before it is used. */
  readonly through?: (transport: Transport) => Transport;
}

/** The counts of a server that are made here. */
export type EntranceStats = Pick<ServerStats, "refused" | "refusals" | "dropped" | "acceptErrors">;

const MIN_ACCEPT_DELAY = 10;
const MAX_ACCEPT_DELAY = 1_000;
/** The close code for a WebSocket that may come in later (IANA). */
const TRY_LATER = 1013;

/**
 * Accepts peers and makes connections of them.
 *
 * A peer becomes a connection if no limit keeps it out, its handshake succeeds, it gives the token and
 * the program does not refuse it. If the endpoint has sessions, it becomes a carrier, and a carrier that begins a session
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
  readonly #questions: Questions;
  /** Connections that have not given the token yet, and connections that are being turned away. */
  readonly #entering = new Set<Connection<T> | Connection<Uint8Array>>();
  readonly #tasks = new Tasks();
  readonly #stopping: AbortController;
  #state: "open" | "closed" = "open";
  #acceptErrors = 0;
  #failedHandshakes = 0;
  #wrongProxies = 0;

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
    this.#questions = new Questions(options, this.#admission);
    this.#stopping = options.stopping ?? new AbortController();
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
      proxy: this.#wrongProxies,
      handshake: this.#failedHandshakes,
      token: this.#questions.wrongTokens,
      authorize: this.#questions.refusedUsers,
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
        this.admit(peer, endpoint);
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

  /** Lets a peer in, if nothing keeps it out. What keeps it out is told by `onRefuse`. */
  admit(peer: AcceptedPeer, endpoint: Road<T>): void {
    if (this.#state !== "open") return peer.refuse();
    const deadline = new HandshakeDeadline(this.#options.handshakeTimeout, this.#stopping.signal);
    if (peer.identify === undefined) return this.#letIn(peer, endpoint, deadline);
    // All clients of a proxy have its address until it has said who they are.
    const place = this.#placeFor(peer, "", endpoint, "proxied");
    if (place !== undefined) this.#tasks.own(this.#identify(peer, place, endpoint, deadline));
  }

  /** Waits until a proxy has said whose connection it is. The handshake gets what is left of the time. */
  async #identify(
    peer: AcceptedPeer,
    place: Place,
    endpoint: Road<T>,
    deadline: HandshakeDeadline,
  ): Promise<void> {
    let isThere = false;
    try {
      isThere = await peer.identify!(deadline);
    } catch (error) {
      if (this.#state === "open") {
        this.#wrongProxies++;
        const { hostname } = peer;
        this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: "proxy", error });
      }
    }
    place.leave();
    try {
      if (isThere && this.#state === "open") return this.#letIn(peer, endpoint, deadline);
    } catch (error) {
      this.#options.onError(error); // The peer has gone meanwhile.
    }
    deadline.clear();
    peer.refuse();
  }

  /** A place in the counts. If there is none left, the peer is turned away. */
  #placeFor(
    peer: AcceptedPeer,
    hostname: string,
    endpoint: Road<T>,
    kind: CountName,
  ): Place | undefined {
    const reason = this.#admission.enter(hostname, kind);
    if (reason === undefined) return new Place(this.#admission, hostname, kind);
    peer.refuse(reason);
    this.#options.onRefuse({ hostname: peer.hostname, endpoint: endpoint.name, reason });
  }

  #letIn(peer: AcceptedPeer, endpoint: Road<T>, deadline: HandshakeDeadline): void {
    const kind = (endpoint.carrier ?? endpoint.offered) === undefined ? "connections" : "greeting";
    const place = this.#placeFor(peer, peer.hostname, endpoint, kind);
    if (place === undefined) return deadline.clear();
    const { vouched } = peer;
    const visit: Visit = { endpoint: endpoint.name, hostname: place.hostname, vouched };
    try {
      const transport = peer.open(this.#questions.opening(visit, deadline));
      if (!(transport instanceof Promise)) {
        deadline.clear();
        return this.#start(transport, place, endpoint, visit);
      }
      const done = this.#finishHandshake(transport, peer, place, endpoint, visit);
      this.#tasks.own(done.finally(() => deadline.clear()));
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
    endpoint: Road<T>,
    visit: Visit,
  ): Promise<void> {
    const { hostname } = place;
    try {
      const transport = await opening;
      if (transport !== undefined && this.#state === "open") {
        return this.#start(transport, place, endpoint, visit);
      }
      transport?.close();
      place.leave();
    } catch (error) {
      place.leave();
      peer.refuse();
      if (this.#state !== "open") return;
      if (error instanceof RefusedError) return this.#questions.refused(visit, error);
      this.#failedHandshakes++;
      this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: "handshake", error });
    }
  }

  #start(opened: Transport, place: Place, endpoint: Road<T>, visit: Visit): void {
    const transport = this.#options.through?.(opened) ?? opened;
    const { offered = endpoint, name } = endpoint;
    const isOffered = opened.abilities.subprotocol === SESSION_SUBPROTOCOL;
    const { settings, carrier: carrierSettings } = isOffered ? offered : endpoint;
    if (carrierSettings !== undefined) {
      const carrier = new Connection<Uint8Array>(transport, carrierSettings, name);
      carrier.whenClosed(place);
      return this.#tasks.own(this.#takeCarrier(carrier, place, settings, visit));
    }
    const connection = new Connection<T>(transport, settings, name);
    connection.whenClosed(place);
    const limit = place.settled();
    if (limit !== undefined) return this.#tasks.own(this.#turnAway(connection, limit, place));
    if (!this.#questions.isDone(visit)) {
      return this.#tasks.own(this.#handAfterQuestions(connection, visit));
    }
    connection.identify(visit.verdict?.user);
    this.#hand(connection);
  }

  /** There is no room for a peer that might have been a carrier, and is none. */
  async #turnAway(connection: Connection<T>, limit: Limit, { hostname }: Place): Promise<void> {
    this.#watch(connection);
    this.#options.onRefuse({ hostname, endpoint: connection.endpoint, reason: limit });
    await connection.close({ code: TRY_LATER, reason: `${limit} is reached` });
  }

  async #handAfterQuestions(connection: Connection<T>, visit: Visit): Promise<void> {
    if (!await this.#isLetIn(connection, visit, false) || this.#state !== "open") return;
    this.#entering.delete(connection);
    this.#hand(connection);
  }

  /** Lets a carrier continue its session or begin a new one. */
  async #takeCarrier(
    carrier: Connection<Uint8Array>,
    place: Place,
    settings: ConnectionSettings<T>,
    visit: Visit,
  ): Promise<void> {
    if (this.#questions.isDone(visit)) carrier.identify((visit.vouched ?? visit.verdict)?.user);
    else {
      if (!await this.#isLetIn(carrier, visit, true)) return;
      this.#entering.delete(carrier);
    }
    const transport = await this.#carriers.take(
      carrier,
      place,
      this.#stopping.signal,
      visit.vouched !== undefined,
    );
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

  /** Asks a connection all questions. One that may not come in stays in the set until it has closed. */
  #isLetIn(
    connection: Connection<T> | Connection<Uint8Array>,
    visit: Visit,
    isCarrier: boolean,
  ): Promise<boolean> {
    this.#watch(connection);
    const isOpen = () => this.#state === "open";
    return this.#questions.ask(connection as Connection<unknown>, visit, { isCarrier, isOpen });
  }
}
