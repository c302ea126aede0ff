/** What `listen()` gives. */

import { delay } from "@std/async/delay";
import { Deque } from "@std/data-structures";
import { checkInteger } from "../codec/framing.ts";
import { Connection, Shared } from "../connection.ts";
import type { ConnectionSettings } from "../connection/settings.ts";
import { ConnectionClosedError } from "../errors.ts";
import type { Sendable } from "../format.ts";
import type { AcceptedPeer, TlsListenOptions, Transport, TransportListener } from "../transport.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { Session, type SessionOptions } from "../session.ts";
import { Carriers } from "./carriers.ts";
import { HandshakeDeadline } from "./handshake.ts";
import { Place } from "./place.ts";
import type { TokenGate } from "./token_gate.ts";
import type {
  BroadcastOptions,
  Handler,
  Refusal,
  ServerCloseOptions,
  ServerStats,
} from "./types.ts";

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

/** What a server is made with. */
export interface ServerOptions<T> extends AdmissionLimits {
  /** Where errors of handlers and of accepting go. */
  onError(error: unknown, connection?: Connection<T>): void;
  /** Told of connections that are turned away. */
  onRefuse(refusal: Refusal): void;
  /** Time for a handshake, and then for the token, in milliseconds. */
  readonly handshakeTimeout: number;
  /** Asks for the token, if there is one. */
  readonly gate?: TokenGate;
  /** Options of sessions. */
  readonly session: SessionOptions;
  /** Closes the server when aborted. */
  signal?: AbortSignal;
}

const MIN_ACCEPT_DELAY = 10;
const MAX_ACCEPT_DELAY = 1_000;

/**
 * Open endpoints and the connections that came in through them. An async iterable of connections,
 * unless a handler takes them. Leaving the loop does not close the server.
 */
export class Server<T = Uint8Array> implements AsyncIterable<Connection<T>>, AsyncDisposable {
  /** Where it listens, with the real ports and the framings. */
  readonly endpoints: readonly string[];
  /** Settles when the server has closed; never rejects. */
  readonly closed: Promise<void>;

  readonly #listeners: readonly OpenEndpoint<T>[];
  readonly #handler: Handler<T> | undefined;
  readonly #options: ServerOptions<T>;
  readonly #connections = new Set<Connection<T>>();
  /** Those that have yet to give the token, or are being turned away. */
  readonly #entering = new Set<Connection<T> | Connection<Uint8Array>>();
  readonly #carriers: Carriers;
  readonly #admission: Admission;
  readonly #tasks = new Set<Promise<void>>();
  /** Connections that no loop has taken yet; those that end meanwhile leave it. */
  readonly #unclaimed = new Deque<Connection<T>>();
  readonly #claims = new Deque<(connection: Connection<T> | undefined) => void>();
  readonly #stopping = new AbortController();
  readonly #onAbort = () => void this.close();
  #state: "open" | "closing" | "closed" = "open";
  #resolveClosed: () => void;
  #accepted = 0;
  #acceptErrors = 0;
  #failedHandshakes = 0;
  #wrongTokens = 0;
  #handlerErrors = 0;

  /** Made by `listen()`. */
  constructor(
    listeners: readonly OpenEndpoint<T>[],
    handler: Handler<T> | undefined,
    options: ServerOptions<T>,
  ) {
    this.#listeners = listeners;
    this.#handler = handler;
    this.#options = options;
    this.#admission = new Admission(options);
    this.#carriers = new Carriers(this.#admission, options);
    this.endpoints = listeners.map(({ name }) => name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    for (const endpoint of listeners) this.#own(this.#acceptAll(endpoint));
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<Connection<T>> {
    return this.#connections;
  }

  /** Counts as of now. */
  get stats(): ServerStats {
    const refusals = {
      ...this.#admission.refusals,
      handshake: this.#failedHandshakes,
      token: this.#wrongTokens,
      session: this.#carriers.refused,
    };
    return {
      accepted: this.#accepted,
      refused: Object.values(refusals).reduce((sum, count) => sum + count),
      refusals,
      dropped: this.#listeners.reduce((sum, { listener }) => sum + (listener.dropped ?? 0), 0),
      acceptErrors: this.#acceptErrors,
      handlerErrors: this.#handlerErrors,
    };
  }

  /**
   * Sends a message to all connections, without waiting for slow ones: the slow-consumer policy of
   * each decides. Returns how many it was queued for; the others' `stats` count it as dropped.
   */
  broadcast(message: Sendable<T>, options: BroadcastOptions<T> = {}): number {
    const { except } = options;
    const left = except === undefined
      ? undefined
      : new Set(except instanceof Connection ? [except] : except);
    const shared = new Shared<T>(message);
    let count = 0;
    for (const connection of this.#connections) {
      if (!left?.has(connection) && connection.offer(shared)) count++;
    }
    return count;
  }

  /**
   * Presents other certificates to clients that come from now on, without a restart.
   *
   * @throws {TypeError} for certificates that cannot be used; then the old ones stay.
   */
  replaceCertificates(tls: TlsListenOptions): void {
    for (const { listener } of this.#listeners) listener.replaceCertificates?.(tls);
  }

  /**
   * Tells the clients of all sessions that they should go elsewhere, before this server closes. Plain
   * connections have no words for that.
   */
  drain(reason = ""): void {
    for (const connection of this.#connections) {
      if (connection instanceof Session) connection.drain(reason);
    }
  }

  /** Connections as they come in, until the server closes. */
  [Symbol.asyncIterator](): AsyncIterator<Connection<T>, undefined> {
    if (this.#handler !== undefined) {
      throw new TypeError("Cannot iterate over the server: its handler takes the connections");
    }
    return {
      next: async () => {
        const value = this.#state !== "open" ? undefined : this.#unclaimed.popFront() ??
          await new Promise<Connection<T> | undefined>((resolve) => this.#claims.pushBack(resolve));
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  /**
   * Closes in order: no more connections are accepted, each one is closed, handlers may finish, up
   * to `grace`; what is left then is aborted. Resolves when all connections have ended. A handler
   * that calls this must not await it, since it would wait for itself.
   *
   * @throws {RangeError} for a grace out of range.
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    const { grace = 5_000 } = options;
    checkInteger("grace", grace, 0, 2 ** 31 - 1);
    if (this.#state === "open") {
      this.#state = "closing";
      this.#shutDown(grace);
    }
    return this.closed;
  }

  /** Closes in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #shutDown(grace: number): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#stopping.abort();
    for (const { listener } of this.#listeners) listener.close();
    this.drain("the server is closing");
    this.#carriers.close();
    for (const claim of this.#claims) claim(undefined);
    this.#claims.clear();

    const over = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      const reason = new ConnectionClosedError(
        `Cannot go on with connection: the server closed and ${grace} ms of grace are over`,
      );
      const left = [...this.#all()];
      for (const connection of left) connection.abort(reason);
      // Sessions have a last word, for which they take a second at most.
      over.resolve(Promise.all(left.map(({ closed }) => closed)));
    }, grace);
    // Not carriers that have yet to greet: they are told by a frame, and their tasks end with them.
    const closing = [...this.#connections, ...this.#entering].map((connection) =>
      connection.close({ reason: "the server is closing" })
    );
    await Promise.race([Promise.all([...closing, ...this.#tasks]), over.promise]);
    clearTimeout(timer);
    this.#state = "closed";
    this.#resolveClosed();
  }

  /** Keeps a task until it is done, so that closing can wait for it. Tasks never reject. */
  #own(task: Promise<void>): void {
    this.#tasks.add(task);
    task.then(() => this.#tasks.delete(task));
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

  *#all(): Iterable<Connection<T> | Connection<Uint8Array>> {
    yield* this.#connections;
    yield* this.#entering;
    yield* this.#carriers.greeting;
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
      this.#own(
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
      return this.#own(this.#takeCarrier(carrier, place, settings));
    }
    const connection = new Connection<T>(transport, settings, name);
    connection.closed.then(() => place.leave());
    const { gate } = this.#options;
    if (gate === undefined) this.#hand(connection);
    else this.#own(this.#handAfterToken(connection, gate, place));
  }

  async #handAfterToken(connection: Connection<T>, gate: TokenGate, place: Place): Promise<void> {
    if (!await this.#isLetIn(connection, gate.ask(connection), place)) return;
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
    this.#enter(session);
    await session.close({ reason: "the server is closing" });
  }

  /** Keeps a connection in sight as long as no one else does. */
  #enter(connection: Connection<T> | Connection<Uint8Array>): void {
    this.#entering.add(connection);
    connection.closed.then(() => this.#entering.delete(connection));
  }

  /** Waits whether a connection gives the token; one that does not is in sight until it is closed. */
  async #isLetIn(
    connection: Connection<T> | Connection<Uint8Array>,
    asking: Promise<boolean>,
    { hostname }: Place,
  ): Promise<boolean> {
    this.#enter(connection);
    const isRight = await asking;
    if (this.#state !== "open") return false;
    if (isRight) return true;
    this.#wrongTokens++;
    this.#admission.penalize(hostname);
    this.#options.onRefuse({ hostname, endpoint: connection.endpoint, reason: "token" });
    return false;
  }

  /** Gives a connection to the handler, or to whoever iterates. */
  #hand(connection: Connection<T>): void {
    this.#accepted++;
    if (connection.state === "closed") return;
    this.#connections.add(connection);
    connection.closed.then(() => {
      this.#connections.delete(connection);
      if (!this.#unclaimed.isEmpty()) this.#unclaimed.removeFirst((other) => other === connection);
    });
    if (this.#handler !== undefined) this.#own(this.#handle(this.#handler, connection));
    else if (this.#claims.isEmpty()) this.#unclaimed.pushBack(connection);
    else this.#claims.popFront()!(connection);
  }

  async #handle(handler: Handler<T>, connection: Connection<T>): Promise<void> {
    try {
      await handler(connection);
      await connection.close();
    } catch (error) {
      connection.abort(error);
      this.#handlerErrors++;
      this.#options.onError(error, connection);
    }
  }
}
