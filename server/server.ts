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
import { Session, SessionAcceptor, type SessionOptions } from "../session.ts";
import { HandshakeDeadline } from "./handshake.ts";
import type { TokenGate } from "./token_gate.ts";

/** What a server does with one connection, in a task of its own. */
export type Handler<T = Uint8Array> = (connection: Connection<T>) => void | Promise<void>;

/** Whom a broadcast leaves out. */
export interface BroadcastOptions<T> {
  /** Connections that do not get the message. */
  except?: Connection<T> | Iterable<Connection<T>>;
}

/** How to close a server. */
export interface ServerCloseOptions {
  /**
   * Time for the connections to close in order and for handlers to return, in milliseconds; what is
   * left then is aborted.
   *
   * @default 5_000
   */
  grace?: number;
}

/** What a server has done so far. */
export interface ServerStats {
  /** Connections accepted, without those refused. */
  readonly accepted: number;
  /** Connections turned away, for whatever reason. */
  readonly refused: number;
  /** Connections turned away, by reason. */
  readonly refusals: Readonly<Record<Refusal["reason"], number>>;
  /** Datagrams that were dropped because they belong to no connection. */
  readonly dropped: number;
  /** Times that accepting failed, for want of file descriptors for example. */
  readonly acceptErrors: number;
  /** Handlers that ended in an error. */
  readonly handlerErrors: number;
}

/** A connection that was turned away. */
export interface Refusal {
  /** The address of the peer; empty where it has none. */
  readonly hostname: string;
  /** The endpoint that it came to. */
  readonly endpoint: string;
  /** The limit that it exceeds; `denied` by its address; or what it failed at. */
  readonly reason:
    | "maxConnections"
    | "maxConnectionsPerAddress"
    | "maxConnectionRate"
    | "denied"
    | "handshake"
    | "token"
    | "session";
  /** What went wrong in the handshake, or with the session that was asked for. */
  readonly error?: unknown;
}

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
  /** Those that have yet to give the token. */
  readonly #entering = new Set<Connection<T> | Connection<Uint8Array>>();
  readonly #sessions: SessionAcceptor;
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
  #refusedSessions = 0;
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
    this.#sessions = new SessionAcceptor({
      ...options.session,
      maxSessions: options.maxConnections,
      onRefuse: ({ remote, endpoint, reason }) => {
        const hostname = remote.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
        this.#admission.penalize(hostname);
        this.#refusedSessions++;
        options.onRefuse({ hostname, endpoint, reason: "session", error: new Error(reason) });
      },
    });
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
      session: this.#refusedSessions,
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
    this.#sessions.close();
    for (const claim of this.#claims) claim(undefined);
    this.#claims.clear();

    const over = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      const reason = new ConnectionClosedError(
        `Cannot go on with connection: the server closed and ${grace} ms of grace are over`,
      );
      for (const connection of this.#all()) connection.abort(reason);
      over.resolve();
    }, grace);
    const closing = [...this.#all()].map((connection) =>
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
  }

  #admit(peer: AcceptedPeer, endpoint: OpenEndpoint<T>): void {
    const { hostname } = peer;
    if (this.#state !== "open") return peer.refuse();
    const limit = this.#admission.enter(hostname);
    if (limit !== undefined) {
      peer.refuse();
      this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: limit });
      return;
    }
    try {
      const deadline = new HandshakeDeadline(this.#options.handshakeTimeout, this.#stopping.signal);
      const transport = peer.open(deadline);
      if (!(transport instanceof Promise)) return this.#start(transport, hostname, endpoint);
      this.#own(this.#finishHandshake(transport, peer, endpoint).finally(() => deadline.clear()));
    } catch (error) {
      this.#admission.leave(hostname);
      peer.refuse();
      throw error;
    }
  }

  /** Waits until a peer is ready for messages, which may be never. */
  async #finishHandshake(
    opening: Promise<Transport | undefined>,
    peer: AcceptedPeer,
    endpoint: OpenEndpoint<T>,
  ): Promise<void> {
    const { hostname } = peer;
    try {
      const transport = await opening;
      if (transport !== undefined && this.#state === "open") {
        return this.#start(transport, hostname, endpoint);
      }
      transport?.close();
      this.#admission.leave(hostname);
    } catch (error) {
      this.#admission.leave(hostname);
      peer.refuse();
      if (this.#state !== "open") return;
      this.#failedHandshakes++;
      this.#options.onRefuse({ hostname, endpoint: endpoint.name, reason: "handshake", error });
    }
  }

  #start(transport: Transport, hostname: string, endpoint: OpenEndpoint<T>): void {
    const { settings, carrier, name } = endpoint;
    const { gate } = this.#options;
    const leave = () => this.#admission.leave(hostname);
    if (carrier !== undefined) {
      const connection = new Connection<Uint8Array>(transport, carrier, name);
      connection.closed.then(leave);
      return this.#own(this.#takeCarrier(connection, hostname, settings));
    }
    const connection = new Connection<T>(transport, settings, name);
    connection.closed.then(leave);
    if (gate === undefined) this.#hand(connection);
    else this.#own(this.#handAfterToken(connection, hostname));
  }

  async #handAfterToken(connection: Connection<T>, hostname: string): Promise<void> {
    this.#entering.add(connection);
    const isRight = await this.#hasToken(connection, hostname);
    this.#entering.delete(connection);
    if (isRight) this.#hand(connection);
  }

  /** Lets a carrier go on with its session, or begin one. */
  async #takeCarrier(
    carrier: Connection<Uint8Array>,
    hostname: string,
    settings: ConnectionSettings<T>,
  ): Promise<void> {
    this.#entering.add(carrier);
    const isRight = await this.#hasToken(carrier, hostname);
    this.#entering.delete(carrier);
    if (!isRight) return;
    const transport = await this.#sessions.accept(carrier, this.#stopping.signal);
    if (transport !== undefined) {
      this.#hand(new Session<T>(transport, settings, carrier.endpoint));
    }
  }

  /** Waits for the token, if there is one, and turns away who has it not. */
  async #hasToken(connection: Connection<T> | Connection<Uint8Array>, hostname: string) {
    const { gate } = this.#options;
    if (gate === undefined) return true;
    const isRight = await gate.ask(connection as Connection<Uint8Array>);
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
