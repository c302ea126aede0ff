/** Sends messages to the peer, and waits when the peer reads slowly. */

import { Deque } from "@std/data-structures";
import { ConnectionClosedError, LengthwiseError, MessageTooLargeError } from "../errors.ts";
import type { WriterTarget } from "./streams.ts";
import type { RequestConnection } from "./types.ts";
import { encodeValue } from "./values.ts";
import { encodeWithValue } from "./wire.ts";

/** After this many bytes, one `send()` tells whether the peer reads fast enough. */
const BURST_BYTES = 64 * 1024;
/** Every framing can express messages up to this size. */
const ALWAYS_SAYABLE_BYTES = 200;

/**
 * Passes messages on to the connection. After each burst it waits until the connection is ready for
 * more. Meanwhile it is `full`: small messages may still be sent, but larger ones wait for their
 * turn by `later()`.
 */
export class Output {
  /** Whether messages that can wait should wait. */
  full = false;
  /** The largest message that the peer accepts, in bytes. */
  maxMessageBytes = 0;

  readonly #connection: RequestConnection;
  readonly #failed: (error: unknown) => void;
  readonly #turns = new Deque<() => void>();
  #burst = 0;

  /** `failed` is called if sending has failed while the connection is still open. */
  constructor(connection: RequestConnection, failed: (error: unknown) => void) {
    this.#connection = connection;
    this.#failed = failed;
  }

  /**
   * Sends a message now.
   *
   * @throws {MessageTooLargeError} if it is too large for the framing or the peer; nothing is sent
   * then.
   * @throws {ConnectionClosedError} if the connection takes no more messages.
   */
  send(message: Uint8Array): void {
    if (message.length > ALWAYS_SAYABLE_BYTES) this.check(message);
    this.#burst += message.length;
    if (this.#burst < BURST_BYTES) {
      if (this.#connection.offer(message)) return;
      throw new ConnectionClosedError(
        `Cannot send to ${this.#connection.remote}: connection takes no more messages`,
      );
    }
    this.#burst = 0;
    const sent = this.#connection.send(message);
    if (this.full) return;
    this.full = true;
    sent.then(() => this.#resume(), (error) => {
      this.#failed(error);
      this.#resume();
    });
  }

  /** As `send()`, but does nothing if the message cannot be sent. */
  trySend(message: Uint8Array): void {
    try {
      this.send(message);
    } catch (error) {
      // The end of the connection settles everything that waits.
      if (!(error instanceof LengthwiseError)) throw error;
    }
  }

  /** Calls back when it is not full any more. Callbacks are called in order. */
  later(turn: () => void): void {
    this.#turns.pushBack(turn);
  }

  /** Resolves when it is not full any more. */
  ready(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  /** Calls back all that wait: they find out that the connection has ended. */
  stop(): void {
    this.#resume();
  }

  /**
   * Checks that the framing and the peer accept a message.
   *
   * @throws {MessageTooLargeError} {InvalidMessageError} if they do not.
   */
  check(message: Uint8Array): void {
    if (message.length > this.maxMessageBytes) {
      const hint = "the peer takes no larger ones";
      throw new MessageTooLargeError("send", message.length, this.maxMessageBytes, hint);
    }
    this.#connection.framing.frameBytes(message);
  }

  #resume(): void {
    this.full = false;
    while (!this.full && !this.#turns.isEmpty()) this.#turns.popFront()!();
  }
}

/** Sends the items of one stream as ITEM messages. */
export class ItemTarget implements WriterTarget {
  readonly #output: Output;
  readonly #first: number;
  readonly #id: number;
  readonly #method: string;
  readonly #refused: (error: unknown) => unknown;

  /** `refused` makes the error that is thrown for an item that cannot be sent. */
  constructor(
    output: Output,
    first: number,
    id: number,
    method: string,
    refused: (error: unknown) => unknown = (error) => error,
  ) {
    this.#output = output;
    this.#first = first;
    this.#id = id;
    this.#method = method;
    this.#refused = refused;
  }

  get full(): boolean {
    return this.#output.full;
  }

  ready(): Promise<void> {
    return this.#output.ready();
  }

  send(value: unknown): number {
    try {
      const encoded = encodeValue(value, `item of ${this.#method}`);
      const message = encodeWithValue(this.#first, this.#id, encoded);
      this.#output.send(message);
      return message.length;
    } catch (error) {
      throw this.#refused(error);
    }
  }
}
