/**
 * One live peer: messages in by `for await`, messages out by `send()`.
 *
 * @module
 */

import type { Framing } from "./codec.ts";
import { Lifecycle } from "./connection/lifecycle.ts";
import type { Sender } from "./connection/sender.ts";
import { type ConnectionSettings, resolveSettings } from "./connection/settings.ts";
import { Shared } from "./connection/shared.ts";
import type {
  CloseInfo,
  CloseOptions,
  ConnectionOptions,
  ConnectionStats,
} from "./connection/types.ts";
import { utf8 } from "./connection/utf8.ts";
import { Values } from "./connection/values.ts";
import type { Sendable } from "./format.ts";
import { handledRejection } from "./internal/handled.ts";
import type { Memory } from "./internal/memory.ts";
import type { PeerIdentity, Transport } from "./transport.ts";

export type {
  CloseInfo,
  CloseOptions,
  ConnectionOptions,
  ConnectionStats,
} from "./connection/types.ts";
export { Shared } from "./connection/shared.ts";
export type { ConnectionLimits } from "./connection/limits.ts";

let lastId = 0;

/**
 * A connection to one peer, over which messages go both ways.
 *
 * - **Order and boundaries.** Messages arrive whole, in the order in which they were sent, at most
 *   once. With framing `none` there are no boundaries, only order; over UDP there is no order, and
 *   messages may be lost or doubled.
 * - **Receiving.** `for await`, `receive()` and `batches()` may be mixed and used by several readers:
 *   each message goes to one of them, first come, first served. Messages are views of larger
 *   blocks; whoever keeps a small one for long should keep a `slice()`.
 * - **Holding back the peer.** With `maxUnreadBytes` waiting to be read, reading stops until half of
 *   them are taken; the peer's sends then wait, by TCP's own flow control.
 * - **Sending.** `send()` may be called by several tasks without waiting; frames are never mixed.
 *   What is sent in one turn of the event loop leaves in one write. Its promise waits while the
 *   peer is slow. Forgetting it is safe: it never becomes an unhandled rejection, and `closed` tells
 *   what was not delivered. A message above 64 KiB is not copied: it must not be changed before it
 *   has left.
 * - **The peer's end.** When the peer closes in order, iteration ends without error after the last
 *   message; sending stays possible until `close()`, or until nothing was sent for
 *   `halfOpenTimeout`. A stream that ends inside a message throws
 *   `TruncatedMessageError`, a lost one `ConnectionLostError`, each after the messages before it.
 * - **`break`** out of `for await` does not close; a later loop goes on with the next message.
 * - **`close()`** ends iteration, flushes, half-closes and waits for the peer's end; what was not read
 *   is counted and dropped. **`abort()`** ends at once. Both may be called at any time, any number of
 *   times: the first outcome stands. `await using` closes.
 * - **What is lost when.** A message that was written only reached the system; a peer that fails may
 *   not have read it. `closed` counts what did not even leave.
 *
 * @example Send, half-close, read to the end, and look how it ended
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   const all = await connection.receiveAll();
 *   await connection.send(`${all.length} messages`);
 * });
 * const connection = await connect(server.endpoints[0]);
 * for (const name of ["a", "b", "c"]) await connection.send(name);
 * await connection.closeWrite();
 * for await (const message of connection) {
 *   assertEquals(new TextDecoder().decode(message), "3 messages");
 * }
 * assertEquals((await connection.closed).clean, true);
 * ```
 */
export class Connection<T = Uint8Array> implements AsyncIterable<T>, AsyncDisposable {
  /** A number that no other connection of this process has or will have. */
  readonly id: number = ++lastId;
  /** The endpoint that was connected to, or that accepted this connection. */
  readonly endpoint: string;
  /**
   * Settles when the connection has ended; never rejects. When only the peer has ended, that is
   * after `close()` or `closeWrite()` at this end, or `halfOpenTimeout`.
   */
  readonly closed: Promise<CloseInfo>;

  readonly #transport: Transport;
  readonly #settings: ConnectionSettings<T>;
  readonly #life: Lifecycle;
  readonly #sender: Sender;
  readonly #values: Values<T>;
  readonly #openedAt = Date.now();

  /**
   * Makes a connection of an open transport, and starts to read from it. The endpoint is what
   * `connection.endpoint` shows.
   *
   * @throws {TypeError} for options that are wrong or contradict each other.
   * @throws {RangeError} for a limit out of range.
   */
  constructor(
    transport: Transport,
    options: ConnectionOptions<T> = {},
    endpoint = "",
  ) {
    const settings = resolveSettings(options).withFraming(transport.abilities.framing);
    const life = new Lifecycle(transport, settings as ConnectionSettings<unknown>);
    this.#transport = transport;
    this.#settings = settings;
    this.endpoint = endpoint;
    this.closed = life.closed;
    this.#life = life;
    this.#sender = life.sender;
    const decoder = settings.format.decoder(settings.framing);
    this.#values = new Values(life.receiver, decoder, (error) => this.abort(error));
    life.receiver.run();
  }

  /** The address of the peer, such as `127.0.0.1:50123`. */
  get remote(): string {
    return this.#transport.remote;
  }

  /** Who the peer proved to be, by a certificate; undefined if it did not. */
  get peer(): PeerIdentity | undefined {
    return this.#transport.abilities.peer;
  }

  /** `open`, `closing` after `close()`, or `closed`. */
  get state(): "open" | "closing" | "closed" {
    return this.#life.state;
  }

  /** The framing in use, with its limit. */
  get framing(): Framing {
    return this.#settings.framing;
  }

  /** Counts, in messages and bytes each way, as of now. */
  get stats(): ConnectionStats {
    const { messages, bytes, inbox, lastSeenAt } = this.#life.receiver;
    return {
      messagesReceived: messages,
      messagesSent: this.#sender.messages,
      messagesDropped: this.#sender.dropped + this.#life.refusals,
      messagesMissed: this.#transport.abilities.dropped ?? 0,
      bytesReceived: bytes,
      bytesSent: this.#sender.bytes,
      bufferedBytes: this.#sender.pendingBytes,
      unreadBytes: inbox.bytes,
      unreadMessages: inbox.messages,
      openedAt: this.#openedAt,
      lastSeenAt,
    };
  }

  /** Aborted when the connection has ended, with what it ended with: for work done on its behalf. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /**
   * Sends a message. Resolves when it may be followed by another: at once, or when the peer has
   * read enough. Rejects, and drops the message, when the connection is closed or lost or the
   * framing cannot say the message; whoever does not await it learns that from `closed`.
   *
   * @throws {ConnectionClosedError} after `close()`, `closeWrite()` or `abort()`.
   * @throws {ConnectionLostError} when the connection is lost before there was room.
   * @throws {MessageTooLargeError} {InvalidMessageError} for what the framing cannot say.
   * @throws {SlowConsumerError} when `maxPendingBytes` is reached.
   * @throws {TypeError} for what the format cannot express.
   */
  send(message: Sendable<T> | Shared<T>): Promise<void> {
    try {
      this.#queue(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#sender.ready();
  }

  /**
   * As `send()`, past the format: for what is agreed upon before the conversation, and for what
   * stands on the connection.
   */
  sendRaw(message: Uint8Array | string): Promise<void> {
    // Not by way of `#queue()`, which sessions and their carriers would both use: that is slower for
    // two classes than for one.
    try {
      this.#life.beforeSending();
      if (typeof message === "string") this.#sender.offer(utf8(message), true);
      else this.#sender.offer(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#sender.ready();
  }

  /**
   * As `sendRaw()`, but leaves the message where it is if the memory before it has room for a header,
   * which is written there. It must not change until it goes back to `memory`.
   *
   * @internal
   */
  sendInPlace(message: Uint8Array, memory: Memory): Promise<void> {
    try {
      this.#life.beforeSending();
      this.#sender.offerInPlace(message, memory);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#sender.ready();
  }

  /**
   * Sends a message without waiting for a slow peer. Returns whether it was queued: not when it was
   * refused or dropped, which `stats` counts and `closed` tells.
   */
  offer(message: Sendable<T> | Shared<T>): boolean {
    try {
      return this.#queue(message);
    } catch (error) {
      this.#life.refused(error);
      return false;
    }
  }

  /** Queues a message; throws what refuses it. */
  #queue(message: Sendable<T> | Shared<T>): boolean {
    this.#life.beforeSending();
    const { format, framing } = this.#settings;
    if (message instanceof Shared) return this.#sender.offerFrame(message.frame(format, framing));
    const encoded = format.encode(message);
    return typeof encoded === "string"
      ? this.#sender.offer(utf8(encoded), true)
      : this.#sender.offer(encoded);
  }

  /** A refused message breaks no other; it is counted, and kept for `closed`. */
  #refused(error: unknown): Promise<never> {
    this.#life.refused(error);
    return handledRejection(error);
  }

  /**
   * The next message, or undefined at the end.
   *
   * @throws {ConnectionLostError} when the stream broke.
   * @throws {ProtocolError} when the peer broke the rules of framing or format.
   */
  receive(): Promise<T | undefined> {
    return this.#values.receive();
  }

  /** As `receive()`, past the format: for what is agreed upon before the conversation. */
  receiveRaw(): Promise<Uint8Array | undefined> {
    return this.#values.receiveRaw();
  }

  /** Messages until the peer ends. See the class's guarantees. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.#values.iterator();
  }

  /**
   * Messages until the peer ends, in the batches in which they arrived: one array, never empty, per
   * chunk that completed any. For the hottest loops, since nothing is awaited per message.
   */
  batches(): AsyncGenerator<T[], void, void> {
    return this.#values.batches();
  }

  /**
   * All messages until the peer ends.
   *
   * @param options `maxBytes` bounds the messages' bytes together, 16 MiB by default. Beyond
   * 1024 messages, a small one counts for 64 bytes.
   * @throws {MessageTooLargeError} when there are more; the connection is aborted with it.
   */
  receiveAll(options: { maxBytes?: number } = {}): Promise<T[]> {
    const { maxBytes = 16 * 1024 * 1024 } = options;
    return this.#values.all(maxBytes);
  }

  /**
   * Hands what was sent to the system now, and not only when this turn of the event loop is over.
   * Resolves when that is done, or can no longer be.
   */
  flush(): Promise<void> {
    return this.#sender.flushed();
  }

  /**
   * Half-closes: flushes, and tells the peer that nothing more will be sent. Receiving goes on. When
   * the peer has ended too, the connection closes. Resolves when that was told, or cannot be any
   * more because the connection is lost, of which `closed` tells.
   */
  closeWrite(): Promise<void> {
    return this.#life.closeWrite();
  }

  /**
   * Closes in order: iteration ends, what was sent is flushed, the peer is told and its end awaited,
   * up to `closeTimeout`. Resolves to `closed`.
   *
   * @throws {RangeError} for a code that WebSocket cannot say (RFC 6455, 7.4).
   */
  close(options: CloseOptions = {}): Promise<CloseInfo> {
    return this.#life.close(options);
  }

  /** Ends at once: what was not written is dropped and counted, readers get the reason thrown. */
  abort(reason?: unknown): void {
    this.#life.abort(reason);
  }

  /** Closes in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
