/**
 * Connections. `for await` receives the messages of the peer, `send()` sends messages to it.
 *
 * @module
 */

import type { Batch, Framing, FramingText } from "./codec.ts";
import { nextId } from "./connection/ids.ts";
import { Lifecycle } from "./connection/lifecycle.ts";
import type { ClosedListener } from "./connection/owners.ts";
import type { Sender } from "./connection/sender.ts";
import { type ConnectionSettings, resolveSettings } from "./connection/settings.ts";
import type { Shared } from "./connection/shared.ts";
import { startTls } from "./connection/start_tls.ts";
import { type ConnectionStats, statsOf } from "./connection/stats.ts";
import { switchFraming, type SwitchOptions } from "./connection/switching.ts";
import type { CloseInfo, CloseOptions, ConnectionOptions } from "./connection/types.ts";
import { Values } from "./connection/values.ts";
import type { Sendable } from "./format.ts";
import type { Distribution } from "./internal/distribution.ts";
import type { Memory } from "./internal/memory.ts";
import type { PeerIdentity, StartTlsOptions, Transport } from "./transport.ts";

export type { CloseInfo, CloseOptions, ConnectionOptions } from "./connection/types.ts";
export type { ConnectionStats } from "./connection/stats.ts";
export { Batch } from "./codec.ts";
export { Shared } from "./connection/shared.ts";
export { isText, markText } from "./internal/text_mark.ts";
export type { SwitchOptions } from "./connection/switching.ts";
export type { ConnectionLimits } from "./connection/limits.ts";

/**
 * A connection to one peer. Messages go both ways.
 *
 * - **Order and boundaries.** Messages arrive whole, at most once, and in the order in which they were
 *   sent. With framing `none` there are no boundaries, only order. Over UDP there is no order, and
 *   messages may be lost or duplicated.
 * - **Receiving.** `for await`, `receive()`, `batches()` and `rawBatches()` may be mixed, and several
 *   readers may use them. Each message goes to one reader, first come, first served. Messages are views
 *   of larger blocks: to keep a small message for long, keep a `slice()` of it.
 * - **Text and bytes.** WebSocket tells them apart; other transports make no difference. Strings are
 *   text. So is a message that came as text, or was given to `markText()`; `isText()` tells it. All
 *   other messages are bytes.
 * - **Backpressure.** When `maxUnreadBytes` wait to be read, the connection stops reading until half of
 *   them are taken. Then the sends of the peer wait, by TCP's own flow control.
 * - **Sending.** Several tasks may call `send()` without waiting; frames are never mixed. The messages
 *   that are sent in one turn of the event loop leave in one write. On a quiet connection, what is sent
 *   before anything is awaited leaves at once, and what follows in the same turn leaves in a second
 *   write. The promise of `send()` waits while the peer is slow. It is safe not to await it: it never
 *   becomes an unhandled rejection, and `closed` tells how much was not delivered. A message above
 *   64 KiB is not copied: do not change it before it has left.
 * - **The peer's end.** When the peer closes in order, iteration ends without an error after the last
 *   message. Sending stays possible until `close()`, or until nothing was sent for `halfOpenTimeout`.
 *   If the stream ends inside a message, readers get a `TruncatedMessageError`; if it is lost, they get
 *   a `ConnectionLostError`. They get the messages before the error first. Over WebSocket, what is
 *   sent in answer to them still leaves before the peer is told what it did wrong.
 * - **`break`** out of `for await` does not close. A later loop goes on with the next message.
 * - **`close()`** ends iteration, flushes, half-closes, and waits for the peer's end. Unread
 *   messages are counted and dropped. **`abort()`** ends at once. Both may be called at any time
 *   and any number of times; the first outcome stays. `await using` closes.
 * - **Loss.** A message that was written may not have reached a peer that fails. `closed` counts the
 *   bytes that did not even leave.
 *
 * @example Send, half-close, read to the end, and see how it ended
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   await connection.send(`${(await connection.receiveAll()).length} messages`);
 * });
 * const connection = await connect(server.endpoints[0]);
 * for (const name of ["a", "b", "c"]) await connection.send(name);
 * await connection.closeWrite();
 * assertEquals(new TextDecoder().decode(await connection.receive()), "3 messages");
 * assertEquals((await connection.close()).clean, true);
 * ```
 */
export class Connection<T = Uint8Array, U = unknown> implements AsyncIterable<T>, AsyncDisposable {
  /** A number that is unique in this process. */
  readonly id: number = nextId();
  /** The endpoint to which this end connected, or which accepted the connection. */
  readonly endpoint: string;
  /** A place for what the program wants to keep with this connection. Empty at first. */
  readonly data: Record<string, unknown> = {};
  readonly #transport: Transport;
  #settings: ConnectionSettings<T>;
  readonly #life: Lifecycle;
  readonly #sender: Sender;
  readonly #values: Values<T>;
  readonly #openedAt = Date.now();

  /**
   * Makes a connection over an open transport, and starts to read from it. `endpoint` becomes
   * `connection.endpoint`.
   *
   * @throws {TypeError} if options are wrong or contradict each other.
   * @throws {RangeError} if a limit is out of range.
   */
  constructor(transport: Transport, options: ConnectionOptions<T> = {}, endpoint = "") {
    const settings = resolveSettings(options).withFraming(transport.abilities.framing);
    const life = new Lifecycle(transport, settings as ConnectionSettings<unknown>);
    this.#transport = transport;
    this.#settings = settings;
    this.endpoint = endpoint;
    this.#life = life;
    this.#sender = life.sender;
    this.#values = new Values(life, settings, (error) => this.abort(error));
    life.receiver.run();
  }

  /**
   * Resolves when the connection has ended; never rejects. If the peer ends first, that is when this
   * end calls `close()` or `closeWrite()`, or after `halfOpenTimeout`.
   */
  get closed(): Promise<CloseInfo> {
    return this.#life.closed;
  }

  /** @internal */
  whenClosed(listener: ClosedListener): void {
    this.#life.whenClosed(this, listener);
  }

  /** @internal */
  measureRoundTrips(times: Distribution): void {
    this.#life.measureRoundTrips(times);
  }

  /** The address of the peer, such as `127.0.0.1:50123`. */
  get remote(): string {
    return this.#transport.remote;
  }

  /** The identity that the peer has proved by a certificate; undefined if it has not. */
  get peer(): PeerIdentity | undefined {
    return this.#transport.abilities.peer;
  }

  /** Who the peer is, as the server's `authorize` has said; undefined without one. */
  get user(): U {
    return this.#life.user as U;
  }

  /** @internal */
  identify(user: unknown): void {
    this.#life.user = user;
  }

  /** The subprotocol that was picked in a WebSocket's handshake (`web.subprotocols`); undefined for none. */
  get subprotocol(): string | undefined {
    return this.#transport.abilities.subprotocol;
  }

  /**
   * Over UDP, who answered in the place of the peer: from its port, but another address. Its messages
   * are dropped, since anybody could be that. A server on all addresses may answer so.
   */
  get stranger(): string | undefined {
    return this.#transport.abilities.stranger;
  }

  /** @internal */
  get sender(): Sender {
    return this.#sender;
  }

  /** `open`, `closing` after `close()`, or `closed`. */
  get state(): "open" | "closing" | "closed" {
    return this.#life.state;
  }

  /** The framing in use, with its limit. */
  get framing(): Framing {
    return this.#settings.framing;
  }

  /** How many messages and bytes went each way so far. */
  get stats(): ConnectionStats {
    return statsOf(this.#life, this.#transport, this.#openedAt);
  }

  /** Aborted, with the reason, when the connection ends. Pass it to work that is done for the peer. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /**
   * Sends a message. Resolves when the next message may be sent: at once, or when the peer has read
   * enough. Rejects and drops the message if the connection is closed or lost, or if the framing cannot
   * express the message. A caller that does not await the promise learns of a failure from `closed`.
   *
   * @throws {ConnectionClosedError} after `close()`, `closeWrite()` or `abort()`.
   * @throws {ConnectionLostError} if the connection is lost while the promise waits.
   * @throws {MessageTooLargeError} {InvalidMessageError} if the framing cannot express the message.
   * @throws {SlowConsumerError} if `maxPendingBytes` is reached.
   * @throws {TypeError} if the format cannot express the message.
   */
  send(message: Sendable<T> | Shared<T>): Promise<void> {
    return this.#values.send(message);
  }

  /**
   * As `send()`, but without the format. For a greeting before the messages of the format, and for
   * protocols that are built on the connection.
   */
  sendRaw(message: Uint8Array | string): Promise<void> {
    return this.#values.sendRaw(message);
  }

  /** @internal */
  sendInPlace(message: Uint8Array, memory: Memory): Promise<void> {
    return this.#values.sendInPlace(message, memory);
  }

  /**
   * Sends a message without waiting for a slow peer. Returns true if the message was queued, and false
   * if it was refused or dropped. `stats` counts such messages, and `closed` tells of them.
   */
  offer(message: Sendable<T> | Shared<T>): boolean {
    return this.#values.offer(message);
  }

  /**
   * Changes the framing in the middle of the conversation, exactly behind the last message taken. What
   * was received behind it is decoded anew: messages that wait to be read, part of a message, and bytes
   * that were no message in the old framing. In a `for await` loop, the current message is the last one
   * taken; with `batches()`, all messages of the batch are taken. What was sent before leaves in the
   * old framing. The limit stays `maxMessageBytes`. {@linkcode SwitchOptions} tells more.
   *
   * @throws {TypeError} if the framing cannot change: over WebSocket and UDP, and in sessions, which have
   * framings of their own; or if the peer sent more behind the last message than a frame can have.
   */
  switchFraming(framing: FramingText | Framing, options: SwitchOptions = {}): void {
    const parts = { transport: this.#transport, life: this.#life, values: this.#values };
    this.#settings = switchFraming(parts, this.#settings, framing, options);
  }

  /**
   * Encrypts the connection from here on, where both ends have agreed to it, such as by SMTP's
   * STARTTLS. What was sent before leaves in plain text first. Sending is refused until the promise
   * resolves. Then `peer` has the identity that the peer has proved. All checks are those of `tls:`;
   * the name to check is the host of the endpoint, or `serverName`.
   *
   * Take the message that agrees, and call this before anything else is received. Bytes that came
   * behind it in plain text are refused: somebody in between may have put them there, to be taken for
   * encrypted ones (CVE-2011-0411). A server may have got the beginning of the handshake already.
   * Works over `tcp:` and `unix:`, for both roles; needs no permission of its own.
   *
   * @throws {ProtocolError} if plain text came behind the last message. The connection is then aborted.
   * @throws {ConnectionLostError} if the handshake fails or takes too long; its `cause` tells why. The
   * connection is then aborted.
   * @throws {ConnectionClosedError} if either end has ended.
   * @throws {TypeError} if options are wrong, or the transport cannot do it. Nothing has changed then.
   */
  startTls(options: StartTlsOptions = {}): Promise<void> {
    return startTls(this.#life, this.#transport, this.endpoint, options);
  }

  /**
   * The next message, or undefined at the end.
   *
   * @throws {ConnectionLostError} if the stream broke.
   * @throws {ProtocolError} if the peer broke the rules of the framing or the format.
   */
  receive(): Promise<T | undefined> {
    return this.#values.receive();
  }

  /** As `receive()`, but without the format. For a greeting before the messages of the format. */
  receiveRaw(): Promise<Uint8Array | undefined> {
    return this.#values.receiveRaw();
  }

  /** Iterates over the messages until the peer ends. See the guarantees of the class. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.#values.iterator();
  }

  /**
   * Iterates over the messages until the peer ends, in batches: all messages that one chunk
   * completes come in one array, which is never empty. Faster than one by one, because nothing is
   * awaited for each message.
   */
  batches(): AsyncGenerator<T[], void, void> {
    return this.#values.batches();
  }

  /**
   * As `batches()`, but without the format, and without a `Uint8Array` for each message: a
   * {@linkcode Batch} makes one only of those that are asked for. With `using`, its memory is used again.
   */
  rawBatches(): AsyncGenerator<Batch, void, void> {
    return this.#values.rawBatches();
  }

  /**
   * Reads all messages until the peer ends.
   *
   * @param options `maxBytes` is the limit for the bytes of all messages together, 16 MiB by
   * default. So that tiny messages are limited, too, each counts for at least 64 bytes; 64 KiB of
   * such counts are always allowed.
   * @throws {MessageTooLargeError} above the limit; the connection is then aborted with this error.
   */
  receiveAll(options: { maxBytes?: number } = {}): Promise<T[]> {
    const { maxBytes = 16 * 1024 * 1024 } = options;
    return this.#values.all(maxBytes);
  }

  /**
   * Writes the queued messages now, and not at the end of this turn of the event loop. Resolves when
   * they are written, or cannot be written any more.
   */
  flush(): Promise<void> {
    return this.#sender.flushed();
  }

  /**
   * Half-closes: flushes, and tells the peer that this end sends nothing more. Receiving goes on.
   * The connection closes when the peer has ended, too. Resolves when the peer was told, or when it
   * cannot be told because the connection is lost; `closed` tells that.
   *
   * Many peers end the other direction with it, and answer no more: Node's `net` by default, Erlang,
   * asyncio's protocols, TLS in asyncio, WebSockets. So receive what you wait for first.
   */
  closeWrite(): Promise<void> {
    return this.#life.closeWrite();
  }

  /**
   * Closes in order: ends iteration, flushes, tells the peer, and waits for the peer's end, for at most
   * `closeTimeout`. Resolves to the value of `closed`.
   *
   * @throws {RangeError} for a code that WebSocket does not allow (RFC 6455, section 7.4).
   */
  close(options: CloseOptions = {}): Promise<CloseInfo> {
    return this.#life.close(options);
  }

  /** Ends at once. Unwritten messages are dropped and counted; readers get the reason as an error. */
  abort(reason?: unknown): void {
    this.#life.abort(reason);
  }

  /** Closes in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
