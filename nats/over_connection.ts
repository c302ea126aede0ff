/**
 * The client of NATS over a connection of Lengthwise. With its own transport for Node, version 3.4.0, the
 * loss of a broker may end the whole process in Deno 2.9.6.
 */

import type { ConnectionOptions, Server, ServerInfo } from "@nats-io/nats-core";
import type { Transport } from "@nats-io/nats-core/internal";
import { concat } from "@std/bytes/concat";
import { connect } from "../connect/connect.ts";
import type { Connection } from "../connection.ts";
import { ConnectError } from "../errors.ts";
import type { TlsConnectOptions } from "../transport.ts";

/** What the broker says first, which is longer only if it is no broker. */
const MAX_INFO_BYTES = 64 * 1024;

/** One connection to a broker, as NATS' client wants it. */
export class OverConnection implements Transport {
  readonly lang = "lengthwise";
  readonly version = "1";
  closeError: Error | undefined;
  readonly #tls: TlsConnectOptions | undefined;
  readonly #closed = Promise.withResolvers<void | Error>();
  #connection: Connection | undefined;
  #first: Uint8Array = new Uint8Array(0);
  #isEncrypted = false;
  #state: "open" | "closed" = "open";

  /** With `tls`, the broker must speak TLS; without, it may want it. */
  constructor(tls: TlsConnectOptions | undefined) {
    this.#tls = tls;
  }

  /** Whether it is over. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Connects, reads who the broker is, and begins TLS if one of both wants it. */
  async connect(server: Server, { timeout }: ConnectionOptions): Promise<void> {
    const { hostname, port, tlsName } = server;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    // The signal goes with the connection for all its life: so it must not be aborted later.
    const { signal, done } = deadline(timeout ?? 10_000);
    const connection = this.#connection = await connect(
      `tcp://${host}:${port}?framing=none`,
      // How much waits is limited by who publishes.
      { signal, maxPendingBytes: Number.MAX_SAFE_INTEGER },
    ).catch((error) => {
      done();
      throw error;
    });
    signal.addEventListener("abort", this.#expired);
    try {
      const info = await this.#readInfo(connection);
      if (info.tls_required || info.tls_available && this.#tls !== undefined) {
        await connection.startTls({ serverName: tlsName || hostname, ...this.#tls });
        this.#isEncrypted = true;
      } else if (this.#tls !== undefined) {
        throw new ConnectError(`Cannot use TLS with NATS at ${host}:${port}: it does not speak it`);
      }
    } catch (error) {
      connection.abort(error);
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", this.#expired);
      done();
    }
    connection.closed.then(({ error }) => this.#end(error));
    if (this.isClosed) connection.abort();
  }

  readonly #expired = () => this.#connection?.abort();

  /** The broker begins with a line about itself. */
  async #readInfo(connection: Connection): Promise<ServerInfo> {
    for (;;) {
      const text = new TextDecoder().decode(this.#first);
      const info = /^INFO\s+(.*)\r\n/i.exec(text);
      if (info !== null) return JSON.parse(info[1]);
      if (text.includes("\n") || this.#first.length > MAX_INFO_BYTES) {
        throw new ConnectError(`Cannot speak with ${connection.remote}: it is no NATS`);
      }
      const chunk = await connection.receive();
      if (chunk === undefined) {
        throw new ConnectError(`Cannot speak with ${connection.remote}: it closed the connection`);
      }
      this.#first = concat([this.#first, chunk]);
    }
  }

  /** What the broker says, from its first line on. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    yield this.#first;
    this.#first = new Uint8Array(0);
    try {
      for await (const chunk of this.#connection!) yield chunk;
      this.#end(undefined); // A broker that has ended does not read any more.
    } catch (error) {
      this.#end(error);
    }
  }

  /** Whether TLS has begun. */
  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  /** Sends. What cannot be sent is told by `closed()`. */
  send(frame: Uint8Array): void {
    this.#connection?.send(frame);
  }

  /** Closes. */
  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  /** Closes at once: the broker does not answer, or another one is to be used. */
  disconnect(): void {
    this.#end(undefined);
  }

  /** Closes at once. */
  discard(): void {
    this.#end(undefined);
  }

  /** Resolves when it is over, to the error if there was one. */
  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  #end(error: unknown): void {
    if (this.isClosed) return;
    this.#state = "closed";
    this.closeError = error as Error | undefined;
    this.#connection?.abort();
    this.#closed.resolve(this.closeError);
  }
}

/** A signal that is aborted after a time, unless `done()` is called before. */
function deadline(timeout: number): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
  const timer = setTimeout(late, timeout);
  return { signal: controller.signal, done: () => clearTimeout(timer) };
}
