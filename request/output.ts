/** What leaves for the peer, and waiting where the peer reads slowly. */

import { Deque } from "@std/data-structures";
import { ConnectionClosedError, LengthwiseError, MessageTooLargeError } from "../errors.ts";
import type { WriterTarget } from "./streams.ts";
import type { RequestConnection } from "./types.ts";
import { encodeValue } from "./values.ts";
import { encodeWithValue } from "./wire.ts";

/** After so many bytes it is asked whether the connection has room. */
const BURST_BYTES = 64 * 1024;
/** Every framing can say messages of so many bytes. */
const ALWAYS_SAYABLE_BYTES = 200;

/**
 * Hands messages to the connection. After each burst it waits until there is room: meanwhile it is
 * `full`, and whoever has more than a few bytes to say asks for its turn with `later()`.
 */
export class Output {
  /** Whether what can wait should wait. */
  full = false;
  /** The largest message that the peer takes. */
  maxMessageBytes = 0;

  readonly #connection: RequestConnection;
  readonly #failed: (error: unknown) => void;
  readonly #turns = new Deque<() => void>();
  #burst = 0;

  /** `failed` is told when sending turned out to be over while the connection lives on. */
  constructor(connection: RequestConnection, failed: (error: unknown) => void) {
    this.#connection = connection;
    this.#failed = failed;
  }

  /**
   * Sends a message now.
   *
   * @throws {MessageTooLargeError} for what the framing or the peer cannot take; nothing is sent.
   * @throws {ConnectionClosedError} when the connection takes no more messages.
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

  /** As `send()`, for messages that nobody has to be told about when the connection has gone. */
  trySend(message: Uint8Array): void {
    try {
      this.send(message);
    } catch (error) {
      // The end of the connection settles everything that waits for it.
      if (!(error instanceof LengthwiseError)) throw error;
    }
  }

  /** Calls back, in order, when there is room. */
  later(turn: () => void): void {
    this.#turns.pushBack(turn);
  }

  /** Resolves when it is not full any more. */
  ready(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  /** Lets everybody go on, to find out that the connection has ended. */
  stop(): void {
    this.#resume();
  }

  /**
   * Looks whether the framing and the peer take a message.
   *
   * @throws {MessageTooLargeError} {InvalidMessageError} where they do not.
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

  /** `refused` gives the error to throw for one that cannot be sent. */
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
