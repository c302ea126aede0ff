/** Reads the messages of a connection as values of its format. */

import { MessageTooLargeError } from "../errors.ts";
import type { FormatDecoder } from "../format.ts";
import { checkInteger } from "../internal/check.ts";
import type { Receiver } from "./receiver.ts";

/** `all()` counts at least this many bytes for each message. */
const MIN_MESSAGE_COST = 64;
/** Even with a small limit, `all()` allows a thousand tiny messages. */
const FREE_COST = 64 * 1024;

/** Takes messages from a receiver, and decodes them if the format has a decoder. */
export class Values<T> {
  readonly #receiver: Receiver;
  #decoder: FormatDecoder<T> | undefined;
  readonly #abort: (error: unknown) => void;

  /** A message that the format does not allow aborts the connection. */
  constructor(
    receiver: Receiver,
    decoder: FormatDecoder<T> | undefined,
    abort: (error: unknown) => void,
  ) {
    this.#receiver = receiver;
    this.#decoder = decoder;
    this.#abort = abort;
  }

  /** Decodes values by another decoder from now on. */
  useDecoder(decoder: FormatDecoder<T> | undefined): void {
    this.#decoder = decoder;
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
