/** The messages of a connection as values of its format, both ways. */

import type { Batch, Framing } from "../codec.ts";
import { MessageTooLargeError } from "../errors.ts";
import type { Format, FormatDecoder, Sendable } from "../format.ts";
import { checkInteger } from "../internal/check.ts";
import { handledRejection } from "../internal/handled.ts";
import type { Memory } from "../internal/memory.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { ConnectionSettings } from "./settings.ts";
import { Shared } from "./shared.ts";
import { utf8 } from "./utf8.ts";

/** `all()` counts at least this many bytes for each message. */
const MIN_MESSAGE_COST = 64;
/** Even with a small limit, `all()` allows a thousand tiny messages. */
const FREE_COST = 64 * 1024;

/** Takes messages from the receiver and decodes them, encodes others and gives them to the sender. */
export class Values<T> {
  readonly #life: Lifecycle;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #format: Format<T>;
  #decoder: FormatDecoder<T> | undefined;
  readonly #abort: (error: unknown) => void;

  /** A message that the format does not allow aborts the connection. */
  constructor(
    life: Lifecycle,
    settings: ConnectionSettings<T>,
    abort: (error: unknown) => void,
  ) {
    const { format, framing } = settings;
    this.#life = life;
    this.#receiver = life.receiver;
    this.#sender = life.sender;
    this.#format = format;
    this.#decoder = format.decoder(framing);
    this.#abort = abort;
  }

  /** Messages come by another framing from now on. */
  decodeBy(framing: Framing): void {
    this.#decoder = this.#format.decoder(framing);
  }

  /** See `Connection.send()`. */
  send(message: Sendable<T> | Shared<T>): Promise<void> {
    try {
      this.#queue(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#sender.ready();
  }

  /** See `Connection.offer()`. */
  offer(message: Sendable<T> | Shared<T>): boolean {
    try {
      return this.#queue(message);
    } catch (error) {
      this.#life.refused(error);
      return false;
    }
  }

  /** See `Connection.sendRaw()`. */
  sendRaw(message: Uint8Array | string): Promise<void> {
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
   * As `sendRaw()`, but does not copy the message if there is enough free memory before it for the
   * header: the header is written there. The message must not change until it goes back to `memory`.
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

  /** Queues a message. Throws the error with which the message is refused. */
  #queue(message: Sendable<T> | Shared<T>): boolean {
    this.#life.beforeSending();
    const format = this.#format;
    if (message instanceof Shared) {
      return this.#sender.offerFrame(message.frame(format, this.#sender.framing));
    }
    const encoded = format.encode(message);
    return typeof encoded === "string"
      ? this.#sender.offer(utf8(encoded), true)
      : this.#sender.offer(encoded);
  }

  /** Counts a refused message, and keeps the error for `closed`. Other messages are not affected. */
  #refused(error: unknown): Promise<never> {
    this.#life.refused(error);
    return handledRejection(error);
  }

  /** The next value; undefined at the end. */
  receive(): Promise<T | undefined> {
    if (this.#decoder === undefined) return this.receiveRaw() as Promise<T | undefined>;
    const message = this.#receiver.take();
    if (message !== undefined) return this.#decode(message);
    return this.#receiveLater();
  }

  /** The next message, not decoded; undefined at the end. */
  receiveRaw(): Promise<Uint8Array | undefined> {
    const message = this.#receiver.take();
    if (message !== undefined) return Promise.resolve(message);
    return this.#receiver.wait("message");
  }

  async #receiveLater(): Promise<T | undefined> {
    const message = await this.#receiver.wait("message");
    return message === undefined ? this.#decoder?.end() : await this.#decode(message);
  }

  /** Values one by one. If nothing has to be decoded, a value costs no further promise. */
  iterator(): AsyncIterator<T, undefined> {
    const receiver = this.#receiver;
    const next = this.#decoder !== undefined ? () => this.receive().then(toResult) : () => {
      const message = receiver.take();
      if (message !== undefined) {
        return Promise.resolve({ done: false as const, value: message as T });
      }
      return receiver.wait("result") as Promise<IteratorResult<T, undefined>>;
    };
    return { next, return: () => Promise.resolve({ done: true, value: undefined }) };
  }

  /** Values in the batches in which they arrived. Values before an error come before the error. */
  async *batches(): AsyncGenerator<T[], void, void> {
    for (;;) {
      const batch = await this.#receiver.takeBatch();
      if (batch === undefined) break;
      if (this.#decoder === undefined) {
        yield batch as T[];
        continue;
      }
      const results = await Promise.allSettled(batch.map((message) => this.#decode(message)));
      const bad = results.find((result) => result.status === "rejected");
      const good = results.slice(0, bad === undefined ? results.length : results.indexOf(bad));
      if (good.length > 0) yield good.map((result) => (result as { value: T }).value);
      if (bad !== undefined) throw bad.reason;
    }
    const last = this.#decoder?.end();
    if (last !== undefined) yield [last];
  }

  /** Messages in the batches in which they arrived, not decoded, without a view for each. */
  async *rawBatches(): AsyncGenerator<Batch, void, void> {
    for (let batch; (batch = await this.#receiver.takeRaw()) !== undefined;) yield batch;
  }

  /** All values until the end. Aborts the connection above `maxBytes`. */
  async all(maxBytes: number): Promise<T[]> {
    checkInteger("maxBytes", maxBytes, 0, Number.MAX_SAFE_INTEGER);
    const all: T[] = [];
    let total = 0;
    let cost = 0;
    for (let batch; (batch = await this.#receiver.takeBatch()) !== undefined;) {
      for (const message of batch) {
        total += message.length;
        cost += Math.max(message.length, MIN_MESSAGE_COST);
        if (total > maxBytes || cost > Math.max(maxBytes, FREE_COST)) {
          const error = new MessageTooLargeError(
            "receive",
            total,
            maxBytes,
            `${all.length + 1} messages together`,
          );
          this.#abort(error);
          throw error;
        }
        all.push(this.#decoder === undefined ? message as T : await this.#decode(message));
      }
    }
    const last = this.#decoder?.end();
    if (last !== undefined) all.push(last);
    return all;
  }

  #decode(message: Uint8Array): Promise<T> {
    return this.#decoder === undefined
      ? Promise.resolve(message as T)
      : this.#decodeBy(this.#decoder, message);
  }

  async #decodeBy(decoder: FormatDecoder<T>, message: Uint8Array): Promise<T> {
    try {
      return await decoder.decode(message);
    } catch (error) {
      this.#abort(error);
      throw error;
    }
  }
}

function toResult<T>(value: T | undefined): IteratorResult<T, undefined> {
  return value === undefined ? { done: true, value: undefined } : { done: false, value };
}
