/** A transport in memory whose every step the test decides. */

import { setImmediate } from "node:timers";
import type { Transport, TransportAbilities } from "../../transport.ts";

/** What reads give: a chunk, the end, or an error to fail with. */
type Input = Uint8Array | undefined | { readonly error: unknown };

/** How a fake transport starts. */
export interface FakeOptions {
  /** Bytes that `write()` takes before it blocks. */
  takes?: number;
  /** Bytes that one `write()` takes at most. */
  takesAtOnce?: number;
  /** Whether the peer ends as soon as this end has ended. */
  endsInReply?: boolean;
}

/** A peer that is nothing but what the test says of it. Keeps what was written, chunk by chunk. */
export class FakeTransport implements Transport {
  readonly abilities: TransportAbilities = {};
  readonly local = "fake:1";
  readonly remote = "fake:2";
  /** What was written, one entry per write. */
  readonly chunks: Uint8Array[] = [];
  state: "open" | "write-closed" | "closed" = "open";
  /** How often `read()` was called. */
  reads = 0;

  #takes: number;
  readonly #takesAtOnce: number;
  readonly #endsInReply: boolean;
  readonly #inputs: Input[] = [];
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: { chunk: Uint8Array; taken: PromiseWithResolvers<number> } | undefined;
  #writeFailure: { readonly error: unknown } | undefined;

  constructor(options: FakeOptions = {}) {
    const { takes = Infinity, takesAtOnce = Infinity, endsInReply = false } = options;
    this.#takes = takes;
    this.#takesAtOnce = takesAtOnce;
    this.#endsInReply = endsInReply;
  }

  /** Everything that was written, as one array. */
  get written(): Uint8Array {
    const all = new Uint8Array(this.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Whether the connection waits for a chunk. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** Whether a write is blocked. */
  get writing(): boolean {
    return this.#writer !== undefined;
  }

  /** The peer sends one chunk. */
  arrive(chunk: Iterable<number>): void {
    this.#input(Uint8Array.from(chunk));
  }

  /** The peer ends in order. */
  end(): void {
    this.#input(undefined);
  }

  /** The next read fails. */
  failRead(error: unknown): void {
    this.#input({ error });
  }

  /** The blocked write, and every one after it, fails. */
  failWrites(error: unknown): void {
    this.#writeFailure = { error };
    this.#writer?.taken.reject(error);
    this.#writer = undefined;
  }

  /** The peer takes more bytes. */
  take(bytes: number): void {
    this.#takes += bytes;
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    writer.taken.resolve(this.write(writer.chunk));
  }

  read(): Promise<Uint8Array | undefined> {
    this.reads++;
    if (this.state === "closed") return Promise.reject(new Deno.errors.BadResource("closed"));
    this.#reader = Promise.withResolvers();
    const { promise } = this.#reader;
    this.#deliver();
    return promise;
  }

  write(chunk: Uint8Array): Promise<number> {
    if (this.state !== "open") return Promise.reject(new Deno.errors.BadResource("closed"));
    if (this.#writeFailure !== undefined) return Promise.reject(this.#writeFailure.error);
    const bytes = Math.min(chunk.length, this.#takes, this.#takesAtOnce);
    if (bytes === 0) {
      this.#writer = { chunk, taken: Promise.withResolvers() };
      return this.#writer.taken.promise;
    }
    this.#takes -= bytes;
    this.chunks.push(chunk.slice(0, bytes));
    return Promise.resolve(bytes);
  }

  closeWrite(): Promise<void> {
    if (this.state === "open") this.state = "write-closed";
    if (this.#endsInReply) this.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#reader?.reject(new Deno.errors.Interrupted("closed"));
    this.#writer?.taken.reject(new Deno.errors.Interrupted("closed"));
    this.#reader = this.#writer = undefined;
  }

  #input(input: Input): void {
    this.#inputs.push(input);
    this.#deliver();
  }

  #deliver(): void {
    const reader = this.#reader;
    if (reader === undefined || this.#inputs.length === 0) return;
    this.#reader = undefined;
    const input = this.#inputs.shift();
    if (input === undefined || input instanceof Uint8Array) reader.resolve(input);
    else reader.reject(input.error);
  }
}

/** Resolves when this turn of the event loop is over, and what waited for that has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
