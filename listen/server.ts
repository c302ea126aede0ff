/** The server that `listen()` returns. */

import { Deque } from "@std/data-structures";
import { Connection, Shared } from "../connection.ts";
import { Audience, type ClosedListener } from "../connection/internal.ts";
import { ConnectionClosedError } from "../errors.ts";
import type { Sendable } from "../format.ts";
import { checkDelay } from "../internal/check.ts";
import { deadlineOf } from "../internal/time.ts";
import { Session } from "../session.ts";
import type { TlsListenOptions } from "../transport.ts";
import { Entrance, type EntranceOptions, type OpenEndpoint } from "./entrance.ts";
import { Tasks } from "./tasks.ts";
import type { BroadcastOptions, Handler, ServerCloseOptions, ServerStats } from "./types.ts";

/** Options of a server. */
export interface ServerOptions<T> extends EntranceOptions {
  /** Called with errors of handlers and of accepting. */
  onError(error: unknown, connection?: Connection<T>): void;
  /** Closes the server when aborted. */
  signal?: AbortSignal;
}

/**
 * Open endpoints and the connections that came in through them. If there is no handler, the server
 * is an async iterable of its connections. Leaving the loop does not close the server.
 */
export class Server<T = Uint8Array> implements AsyncIterable<Connection<T>>, AsyncDisposable {
  /** The endpoints where it listens, with the real ports and the framings. */
  readonly endpoints: readonly string[];
  /** Resolves when the server has closed. It never rejects. */
  readonly closed: Promise<void>;

  readonly #handler: Handler<T> | undefined;
  readonly #options: ServerOptions<T>;
  readonly #audience = new Audience<T>();
  readonly #entrance: Entrance<T>;
  /** The running handlers. */
  readonly #tasks = new Tasks();
  /** Connections that no loop has taken yet. A connection that ends is removed. */
  readonly #unclaimed = new Deque<Connection<T>>();
  readonly #claims = new Deque<(connection: Connection<T> | undefined) => void>();
  readonly #onAbort = () => void this.close();
  /** One listener for all connections. */
  readonly #leaving: ClosedListener = {
    connectionClosed: (connection) => this.#left(connection as Connection<T>),
  };
  #state: "open" | "closing" | "closed" = "open";
  #resolveClosed: () => void;
  #accepted = 0;
  #handlerErrors = 0;

  /**
   * Made by `listen()`.
   *
   * @internal
   */
  constructor(
    listeners: readonly OpenEndpoint<T>[],
    handler: Handler<T> | undefined,
    options: ServerOptions<T>,
  ) {
    this.#handler = handler;
    this.#options = options;
    this.endpoints = listeners.map(({ name }) => name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#entrance = new Entrance(listeners, options, (connection) => this.#hand(connection));
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<Connection<T>> {
    return this.#audience.members;
  }

  /** Counts as of now. */
  get stats(): ServerStats {
    return {
      accepted: this.#accepted,
      ...this.#entrance.stats,
      handlerErrors: this.#handlerErrors,
    };
  }

  /**
   * Sends a message to all connections without waiting. If a peer is slow, the slow-consumer policy
   * of its connection decides. Returns for how many connections the message was queued. A
   * connection that refuses the message counts it as dropped in its `stats`.
   */
  broadcast(message: Sendable<T>, options: BroadcastOptions<T> = {}): number {
    const { except } = options;
    const left = except === undefined
      ? undefined
      : new Set(except instanceof Connection ? [except] : except);
    return this.#audience.send(new Shared<T>(message), left).queued;
  }

  /**
   * Presents other certificates to the clients that connect from now on, without a restart.
   *
   * @throws {TypeError} for certificates that cannot be used. The old ones stay then.
   */
  replaceCertificates(tls: TlsListenOptions): void {
    this.#entrance.replaceCertificates(tls);
  }

  /**
   * Tells the clients of all sessions that they should connect elsewhere, before this server
   * closes. Plain connections have no message for that.
   */
  drain(reason = ""): void {
    for (const connection of this.connections) {
      if (connection instanceof Session) connection.drain(reason);
    }
  }

  /** The connections as they come in, until the server closes. */
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
   * Closes in order. The server accepts no more connections, closes each open one and waits until
   * the handlers return. This may take `grace` milliseconds. After that, the remaining connections
   * are aborted. Resolves when all connections have ended. A handler that calls this must not await
   * it, because it would wait for itself.
   *
   * @throws {RangeError} for a grace out of range.
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    const { grace = 5_000 } = options;
    checkDelay("grace", grace, 0);
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
    this.drain("the server is closing");
    const entered = this.#entrance.close();
    for (const claim of this.#claims) claim(undefined);
    this.#claims.clear();

    const over = Promise.withResolvers<unknown>();
    const deadline = deadlineOf(grace, () => {
      const reason = new ConnectionClosedError(
        `Cannot go on with connection: the server closed and ${grace} ms of grace are over`,
      );
      const left = [...this.connections, ...this.#entrance.connections()];
      for (const connection of left) connection.abort(reason);
      // A session sends a last frame when it is aborted, which takes a second at most.
      over.resolve(Promise.all(left.map(({ closed }) => closed)));
    });
    const closing = [...this.connections].map((connection) =>
      connection.close({ reason: "the server is closing" })
    );
    await Promise.race([Promise.all([entered, ...closing, this.#tasks.over()]), over.promise]);
    deadline.clear();
    this.#state = "closed";
    this.#resolveClosed();
  }

  /** Gives a connection to the handler, or to a loop over the server. */
  #hand(connection: Connection<T>): void {
    this.#accepted++;
    if (connection.state === "closed") return;
    this.#audience.add(connection);
    connection.whenClosed(this.#leaving);
    if (this.#handler !== undefined) this.#handle(this.#handler, connection);
    else if (this.#claims.isEmpty()) this.#unclaimed.pushBack(connection);
    else this.#claims.popFront()!(connection);
  }

  #left(connection: Connection<T>): void {
    this.#audience.delete(connection);
    if (!this.#unclaimed.isEmpty()) this.#unclaimed.removeFirst((other) => other === connection);
  }

  /**
   * Closes when the handler is done. Not an async function: what that keeps, while the handler waits,
   * weighs twice as much as two reactions.
   */
  #handle(handler: Handler<T>, connection: Connection<T>): void {
    this.#tasks.begin();
    resultOf(handler, connection).then(
      () => connection.close().then(() => this.#tasks.end()),
      (error) => {
        connection.abort(error);
        this.#handlerErrors++;
        this.#tasks.end();
        this.#options.onError(error, connection);
      },
    );
  }
}

/** What a handler gives or throws, as a promise. */
function resultOf<T>(handler: Handler<T>, connection: Connection<T>): Promise<void> {
  try {
    return Promise.resolve(handler(connection));
  } catch (error) {
    return Promise.reject(error);
  }
}
