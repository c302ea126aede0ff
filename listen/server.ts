/** The server that `listen()` returns. */

import { Deque } from "@std/data-structures";
import type { Cluster } from "../cluster.ts";
import { type CloseInfo, Connection, Shared } from "../connection.ts";
import { Audience, type ClosedListener } from "../connection/internal.ts";
import { ConnectionClosedError } from "../errors.ts";
import type { Sendable } from "../format.ts";
import { checkDelay } from "../internal/check.ts";
import { requireDenoFor } from "../internal/runtime/runtime.ts";
import type { Telemetry, Trace } from "../internal/telemetry.ts";
import { deadlineOf } from "../internal/time.ts";
import { turnOver } from "../internal/turn.ts";
import { Session } from "../session.ts";
import type { TlsListenOptions, Transport } from "../transport.ts";
import { Entrance, type EntranceOptions } from "./entrance.ts";
import { type AcceptOptions, Guests, type GuestsOptions, type RequestInfo } from "./guests.ts";
import type { OpenEndpoint } from "./road.ts";
import { Tasks } from "./tasks.ts";
import { Totals } from "./totals.ts";
import type { BroadcastOptions, Handler, ServerCloseOptions, ServerStats } from "./types.ts";

/** The close code that tells a WebSocket, or a session, that the server goes (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;

/** Options of a server. */
export interface ServerOptions<T> extends EntranceOptions {
  /** Called with errors of handlers and of accepting. */
  onError(error: unknown, connection?: Connection<T>): void;
  /** Closes the server when aborted. */
  signal?: AbortSignal;
  /** Traces the connections. */
  readonly telemetry?: Telemetry;
  /** The cluster that it is a part of. */
  readonly cluster?: Cluster;
  /** How those come in that use no endpoint. */
  readonly guests: GuestsOptions<T>;
}

/**
 * Open endpoints and the connections that came in through them. If there is no handler, the server
 * is an async iterable of its connections. Leaving the loop does not close the server.
 */
export class Server<T = Uint8Array, U = unknown>
  implements AsyncIterable<Connection<T, U>>, AsyncDisposable {
  /** The endpoints where it listens, with the real ports and the framings. */
  readonly endpoints: readonly string[];
  /** Resolves when the server has closed. It never rejects. */
  readonly closed: Promise<void>;

  readonly #handler: Handler<T, U> | undefined;
  readonly #options: ServerOptions<T>;
  readonly #audience = new Audience<T>();
  readonly #entrance: Entrance<T>;
  readonly #guests: Guests<T>;
  /** The running handlers. */
  readonly #tasks = new Tasks();
  /** Connections that no loop has taken yet. A connection that ends is removed. */
  readonly #unclaimed = new Deque<Connection<T, U>>();
  readonly #claims = new Deque<(connection: Connection<T, U> | undefined) => void>();
  readonly #onAbort = () => void this.close();
  /** One listener for all connections. */
  readonly #leaving: ClosedListener = {
    connectionClosed: (connection, info) => this.#left(connection as Connection<T>, info),
  };
  #state: "open" | "closing" | "closed" = "open";
  /** Why clients should go elsewhere; undefined while they should not. */
  #draining: string | undefined;
  #resolveClosed: () => void;
  readonly #totals = new Totals();
  #accepted = 0;
  #handlerErrors = 0;

  /**
   * Made by `listen()`.
   *
   * @internal
   */
  constructor(
    listeners: readonly OpenEndpoint<T>[],
    handler: Handler<T, U> | undefined,
    options: ServerOptions<T>,
  ) {
    this.#handler = handler;
    this.#options = options;
    this.endpoints = listeners.map(({ name }) => name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    const { maxConnections } = options;
    const elsewhere = options.cluster?.serve({
      accept: (stream, opening) => this.#guests.carried(stream, opening),
      report: () => {
        return { endpoints: this.endpoints, connections: this.connections.size, maxConnections };
      },
    });
    this.#entrance = new Entrance(
      listeners,
      { ...options, elsewhere },
      (connection) => this.#hand(connection as Connection<T, U>),
    );
    this.#guests = new Guests(options.guests, (peer, road) => this.#entrance.admit(peer, road));
  }

  /**
   * Takes a request of another HTTP server, and gives the answer to it, also where the peer is refused:
   * for `Deno.serve`, and for frameworks whose handlers take a `Request` and give a `Response`. If the
   * request asks for a WebSocket, what comes in is a connection of this server, with its limits, tokens,
   * `authorize`, sessions and close codes. Other requests are answered with 426.
   *
   * `info` is the second argument of `Deno.serve`'s handler, which has the peer's address. Without it the
   * address is not known, and all such peers count as one. Behind named `proxies`, the address is that
   * of `X-Forwarded-For`, with port 0.
   *
   * The runtime speaks WebSocket here, and not this module. It takes messages of at most 64 MiB, whatever
   * `maxMessageBytes` says of them afterwards; it cannot stop reading, so a peer of which 16 MiB were not
   * read is lost; and only it asks whether the peer is still there.
   *
   * @example Under a server that is there already
   * ```ts
   * import { connect, listen } from "@lengthwise/lengthwise";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = await listen([], async (connection) => {
   *   for await (const message of connection) await connection.send(message);
   * });
   * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request, info) =>
   *   new URL(request.url).pathname === "/live"
   *     ? server.upgrade(request, info)
   *     : new Response("the app's own page"));
   * await using client = await connect(`ws://127.0.0.1:${http.addr.port}/live`);
   * await client.send("hello");
   * assertEquals(new TextDecoder().decode(await client.receive()), "hello");
   * await client.close();
   * ```
   */
  async upgrade(request: Request, info?: RequestInfo): Promise<Response> {
    requireDenoFor("server.upgrade()");
    return await this.#guests.upgrade(request, info);
  }

  /**
   * Takes a transport of the program's own, as if it had come in by an endpoint: with limits, token,
   * `authorize` and sessions. The address is its `remote`. A transport that is turned away is closed.
   */
  accept(transport: Transport, options: AcceptOptions = {}): void {
    this.#guests.accept(transport, options);
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<Connection<T, U>> {
    return this.#audience.members as ReadonlySet<Connection<T, U>>;
  }

  /** Counts as of now. */
  get stats(): ServerStats {
    const entrance = this.#entrance.stats;
    const { drops, ...totals } = this.#totals.stats(this.connections);
    return {
      accepted: this.#accepted,
      ...totals,
      drops: { ...drops, stray: entrance.dropped },
      ...entrance,
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
   * Tells the clients of all sessions, and of those that are opened later, that they should connect
   * elsewhere, before this server closes. Plain connections have no message for that.
   */
  drain(reason = ""): void {
    this.#draining = reason;
    for (const connection of this.connections) {
      if (connection instanceof Session) connection.drain(reason);
    }
  }

  /** The connections as they come in, until the server closes. */
  [Symbol.asyncIterator](): AsyncIterator<Connection<T, U>, undefined> {
    if (this.#handler !== undefined) {
      throw new TypeError("Cannot iterate over the server: its handler takes the connections");
    }
    return {
      next: async () => {
        const value = this.#state !== "open" ? undefined : this.#unclaimed.popFront() ??
          await new Promise<Connection<T, U> | undefined>((resolve) =>
            this.#claims.pushBack(resolve)
          );
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
      connection.close({ code: GOING_AWAY, reason: "the server is closing" })
    );
    await Promise.race([Promise.all([entered, ...closing, this.#tasks.over()]), over.promise]);
    deadline.clear();
    await turnOver(); // Those that never became connections may have waited for theirs.
    this.#state = "closed";
    this.#resolveClosed();
  }

  /** Gives a connection to the handler, or to a loop over the server. */
  #hand(connection: Connection<T, U>): void {
    this.#accepted++;
    this.#audience.add(connection);
    connection.measureRoundTrips(this.#totals.roundTrips);
    connection.whenClosed(this.#leaving);
    const trace = this.#options.telemetry?.connected(connection, "server");
    if (connection.state === "closed") return; // It is only counted.
    if (this.#draining !== undefined && connection instanceof Session) {
      connection.drain(this.#draining);
    }
    if (this.#handler !== undefined) this.#handle(this.#handler, connection, trace);
    else if (this.#claims.isEmpty()) this.#unclaimed.pushBack(connection);
    else this.#claims.popFront()!(connection);
  }

  #left(connection: Connection<T>, info: CloseInfo): void {
    this.#audience.delete(connection);
    this.#totals.ended(connection, info);
    if (!this.#unclaimed.isEmpty()) this.#unclaimed.removeFirst((other) => other === connection);
  }

  /**
   * Closes when the handler is done. Not an async function: what that keeps, while the handler waits,
   * weighs twice as much as two reactions.
   */
  #handle(
    handler: Handler<T, U>,
    connection: Connection<T, U>,
    trace: Trace | undefined,
  ): void {
    this.#tasks.begin();
    const result = trace === undefined
      ? resultOf(handler, connection)
      : trace.run(() => resultOf(handler, connection));
    result.then(
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
function resultOf<T, U>(handler: Handler<T, U>, connection: Connection<T, U>): Promise<void> {
  try {
    return Promise.resolve(handler(connection));
  } catch (error) {
    return Promise.reject(error);
  }
}
