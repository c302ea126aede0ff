/**
 * For tests of programs that use connections: linked transports without a network, and transports with
 * faults.
 *
 * @module
 */

import { errors } from "./internal/runtime/errors.ts";
import { delay } from "@std/async/delay";
import type { EndInfo } from "./codec.ts";
import { checkInteger } from "./internal/check.ts";
import type { Transport, TransportAbilities } from "./transport.ts";

export { memoryPair } from "./transport/internal.ts";
export type { Transport } from "./transport.ts";

/** Faults in what is read from a transport, or written to it. */
export interface Faults {
  /**
   * Where the faults are: in what is read, which this end sees, or in what is written, which the peer
   * sees. Below, a chunk is what one read or one write moves.
   *
   * @default "read"
   */
  on?: "read" | "write";
  /**
   * Chunks are cut into pieces of 1 to `chop` bytes.
   *
   * @default Infinity
   */
  chop?: number;
  /**
   * Each read or write takes longer, by a random time up to this many milliseconds.
   *
   * @default 0
   */
  delay?: number;
  /**
   * The probability, from 0 to 1, that one bit of a chunk is flipped.
   *
   * @default 0
   */
  corrupt?: number;
  /**
   * The transport breaks after this many bytes, as if its cable were cut.
   *
   * @default Infinity
   */
  cutAfter?: number;
  /**
   * After this many bytes nothing moves any more, and no end either.
   *
   * @default Infinity
   */
  stallAfter?: number;
  /**
   * Returns a number from 0 up to, but not including, 1. A seeded generator makes a test repeatable.
   *
   * @default `Math.random`
   */
  random?: () => number;
}

/**
 * Wraps a transport, and adds faults to what is read from it, or to what is written to it. Wrap both
 * ends to have faults both ways.
 *
 * @throws {RangeError} if a value is out of range.
 *
 * @example Messages arrive whole, even in tiny pieces
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise";
 * import { memoryPair, withFaults } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = memoryPair();
 * const sender = new Connection(a);
 * const receiver = new Connection(withFaults(b, { chop: 3, delay: 2 }));
 * await sender.send("in three-byte pieces");
 * assertEquals(new TextDecoder().decode(await receiver.receive()), "in three-byte pieces");
 * await Promise.all([sender.close(), receiver.close()]);
 * ```
 */
export function withFaults(transport: Transport, faults: Faults): Transport {
  const { chop = Infinity, cutAfter = Infinity, stallAfter = Infinity } = faults;
  for (const [name, value] of Object.entries({ chop, cutAfter, stallAfter })) {
    if (value !== Infinity) checkInteger(name, value, name === "chop" ? 1 : 0, 2 ** 53 - 1);
  }
  return new FaultyTransport(transport, { ...faults, chop, cutAfter, stallAfter });
}

class FaultyTransport implements Transport {
  readonly #transport: Transport;
  readonly #faults: Faults & { chop: number; cutAfter: number; stallAfter: number };
  readonly #random: () => number;
  readonly #closed = new AbortController();
  #rest: Uint8Array = new Uint8Array(0);
  #bytes = 0;
  #isCut = false;

  constructor(
    transport: Transport,
    faults: Faults & { chop: number; cutAfter: number; stallAfter: number },
  ) {
    this.#transport = transport;
    this.#faults = faults;
    this.#random = faults.random ?? Math.random;
  }

  /** The abilities of the wrapped transport. */
  get abilities(): TransportAbilities {
    return this.#transport.abilities;
  }

  get local(): string {
    return this.#transport.local;
  }

  get remote(): string {
    return this.#transport.remote;
  }

  async read(
    readTarget?: (bytes: number) => Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    if (this.#faults.on === "write") {
      return await this.#transport.read(readTarget).catch((error) => {
        throw this.#isCut ? cutError() : error;
      });
    }
    await this.#beforeChunk();
    if (this.#rest.length === 0) {
      const chunk = await this.#transport.read();
      if (chunk === undefined) return undefined;
      this.#rest = chunk;
    }
    const chunk = this.#faulty(this.#rest);
    this.#rest = this.#rest.subarray(chunk.length);
    this.#bytes += chunk.length;
    return chunk;
  }

  /** Takes the time of the delay, and ends what must end here. */
  async #beforeChunk(): Promise<void> {
    const { cutAfter, stallAfter, delay: longest = 0 } = this.#faults;
    if (longest > 0) await delay(this.#random() * longest, { signal: this.#closed.signal });
    if (this.#bytes >= cutAfter) {
      this.#isCut = true;
      this.#transport.close();
      throw cutError();
    }
    if (this.#bytes >= stallAfter) await this.#untilClosed();
  }

  /** A copy of the start of a chunk, perhaps with a wrong bit. */
  #faulty(chunk: Uint8Array): Uint8Array {
    const { chop, cutAfter, stallAfter, corrupt = 0 } = this.#faults;
    const piece = chop === Infinity ? Infinity : 1 + Math.floor(this.#random() * chop);
    const bytes = Math.min(piece, chunk.length, Math.min(cutAfter, stallAfter) - this.#bytes);
    const copy = chunk.slice(0, bytes);
    if (this.#random() < corrupt) copy[Math.floor(this.#random() * bytes)] ^= 1;
    return copy;
  }

  #untilClosed(): Promise<never> {
    const { signal } = this.#closed;
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  async write(chunk: Uint8Array, endsMessage?: boolean): Promise<number> {
    if (this.#faults.on !== "write" || chunk.length === 0) {
      return await this.#transport.write(chunk, endsMessage);
    }
    await this.#beforeChunk();
    const piece = this.#faulty(chunk);
    const isWhole = piece.length === chunk.length;
    const bytes = await this.#transport.write(piece, isWhole && endsMessage);
    this.#bytes += bytes;
    return bytes;
  }

  closeWrite(info?: EndInfo): Promise<void> {
    return this.#transport.closeWrite(info);
  }

  close(error?: unknown): void {
    this.#closed.abort(new errors.Interrupted("operation canceled"));
    this.#transport.close(error);
  }
}

function cutError(): Error {
  return new errors.ConnectionReset("connection was cut");
}
