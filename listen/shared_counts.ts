/** Counts of connections that the servers of several threads have together. */

import { checkInteger } from "../internal/check.ts";

/** What is counted; admission.ts tells more. */
export type CountName = "connections" | "greeting" | "proxied";

/** The most threads. */
const MAX_THREADS = 64;
/**
 * Addresses are counted in two rows of cells, each address in one cell of each row. Others may use the
 * same cell, so the lower of the two counts. That both are shared with a busy address is seldom.
 */
const ROWS = 2;
const CELLS = 16_384;
const KINDS: readonly CountName[] = ["connections", "greeting", "proxied"];
/** The cells of one kind in one thread: the total comes first. */
const KIND_CELLS = 1 + ROWS * CELLS;
const THREAD_CELLS = KINDS.length * KIND_CELLS;
/** The number of threads, and a seed for each row, so that nobody can tell which addresses share a cell. */
const HEAD_CELLS = 1 + ROWS;

/**
 * Counts the connections of this thread's server together with those of others, for the option `counts`
 * of `listen()`: so its limits `maxConnections` and `maxConnectionsPerAddress` hold for all of them as a
 * whole. The rate of an address stays that of each thread.
 *
 * @example Two servers, as of two threads, that let one connection in
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { SharedCounts } from "@lengthwise/lengthwise/server";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = SharedCounts.memory(2); // Threads get it by postMessage().
 * const open = (thread: number) =>
 *   listen(
 *     "tcp://127.0.0.1:0",
 *     { maxConnections: 1, counts: new SharedCounts(memory, thread) },
 *     async (connection) => {
 *       for await (const message of connection) await connection.send(message);
 *     },
 *   );
 * await using one = await open(0);
 * await using two = await open(1);
 * await using first = await connect(one.endpoints[0]);
 * await first.send("hello");
 * await first.receive();
 * await using second = await connect(two.endpoints[0]);
 * assertEquals(await second.receive(), undefined);
 * await first.close();
 * ```
 */
export class SharedCounts {
  readonly #cells: Int32Array;
  readonly #threads: number;
  readonly #thread: number;

  /** The counts of one thread, from 0 on, in the memory that all of them were given. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#cells = new Int32Array(memory);
    this.#threads = this.#cells[0];
    checkInteger("thread", thread, 0, this.#threads - 1);
    this.#thread = thread;
  }

  /**
   * Memory for the counts of so many threads, 1 to 64: 400 kB for each.
   *
   * @throws {RangeError} for another number.
   */
  static memory(threads: number): SharedArrayBuffer {
    checkInteger("threads", threads, 1, MAX_THREADS);
    const memory = new SharedArrayBuffer(4 * (HEAD_CELLS + threads * THREAD_CELLS));
    const head = new Int32Array(memory, 0, HEAD_CELLS);
    head.set([threads, ...crypto.getRandomValues(new Int32Array(ROWS))]);
    return memory;
  }

  /** How many connections this thread has now. */
  get own(): number {
    return this.#cells[this.#at("connections", this.#thread)];
  }

  /**
   * One more, or one fewer, of an address; or of one that has no limits of its own.
   *
   * @internal
   */
  add(kind: CountName, address: string | undefined, by: 1 | -1): void {
    const at = this.#at(kind, this.#thread);
    Atomics.add(this.#cells, at, by);
    if (address === undefined) return;
    for (let row = 0; row < ROWS; row++) {
      Atomics.add(this.#cells, at + this.#cellOf(address, row), by);
    }
  }

  /**
   * How many all threads have.
   *
   * @internal
   */
  total(kind: CountName): number {
    return this.#sum(kind, 0);
  }

  /**
   * How many all threads have of an address; seldom more than that, never less.
   *
   * @internal
   */
  of(kind: CountName, address: string): number {
    let least = Infinity;
    for (let row = 0; row < ROWS; row++) {
      least = Math.min(least, this.#sum(kind, this.#cellOf(address, row)));
    }
    return least;
  }

  /** The thread has ended: it has none any more. Whoever started it says so. */
  clear(): void {
    const from = HEAD_CELLS + this.#thread * THREAD_CELLS;
    this.#cells.fill(0, from, from + THREAD_CELLS);
  }

  #sum(kind: CountName, cell: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.#threads; thread++) {
      sum += Atomics.load(this.#cells, this.#at(kind, thread) + cell);
    }
    return sum;
  }

  #at(kind: CountName, thread: number): number {
    return HEAD_CELLS + thread * THREAD_CELLS + KINDS.indexOf(kind) * KIND_CELLS;
  }

  /** Where an address is counted in a row: FNV-1a with the row's seed. */
  #cellOf(address: string, row: number): number {
    let hash = this.#cells[1 + row];
    for (let i = 0; i < address.length; i++) {
      hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
    }
    hash ^= hash >>> 15;
    return 1 + row * CELLS + (hash & CELLS - 1);
  }
}
