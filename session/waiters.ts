/**
 * The promises that wait for a session: of a reader, of a writer, of the call that ended it, and of
 * calls that flush.
 */

import { handledResolvers } from "../internal/handled.ts";

/** A write that waits for space. */
interface Writer {
  readonly chunk: Uint8Array;
  readonly endsMessage: boolean;
  readonly taken: PromiseWithResolvers<number>;
}

/** A call that waits until the peer has received so many bytes. */
interface Flusher {
  readonly target: () => number;
  readonly reached: PromiseWithResolvers<void>;
}

/** Promises that the session resolves, or rejects when it is over. */
export class Waiters {
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: Writer | undefined;
  #ender: PromiseWithResolvers<void> | undefined;
  #flushers: Flusher[] = [];

  /** Whether a call waits for an acknowledgment. */
  get hasFlushers(): boolean {
    return this.#flushers.length > 0;
  }

  /** Whether a write waits for space. */
  get hasWriter(): boolean {
    return this.#writer !== undefined;
  }

  /** The bytes that wait for space. */
  get unwritten(): Uint8Array | undefined {
    return this.#writer?.chunk;
  }

  /** Waits for bytes. */
  read(): Promise<Uint8Array | undefined> {
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /**
   * Gives the reader the next chunk, or the end. Does nothing if there is no reader, or neither
   * chunk nor end.
   */
  deliver(take: () => Uint8Array | undefined, isOver: () => boolean): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const chunk = take();
    if (chunk === undefined && !isOver()) return;
    this.#reader = undefined;
    reader.resolve(chunk);
  }

  /** Waits for space. */
  write(chunk: Uint8Array, endsMessage: boolean): Promise<number> {
    const taken = handledResolvers<number>();
    this.#writer = { chunk, endsMessage, taken };
    return taken.promise;
  }

  /** Lets the writer try again; `write()` returns how many bytes were taken. */
  retryWrite(write: (chunk: Uint8Array, endsMessage: boolean) => number): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    const bytes = write(writer.chunk, writer.endsMessage);
    if (bytes > 0) writer.taken.resolve(bytes);
    else this.#writer = writer;
  }

  /** Waits until the peer has everything, this end's end included. */
  end(): Promise<void> {
    this.#ender ??= handledResolvers<void>();
    return this.#ender.promise;
  }

  /** The peer has everything. */
  ended(): void {
    this.#ender?.resolve();
  }

  /** Waits until the peer has received as many bytes as `target()` says. */
  acknowledged(target: () => number): Promise<void> {
    const reached = handledResolvers<void>();
    this.#flushers.push({ target, reached });
    return reached.promise;
  }

  /** The peer has received so many bytes. */
  received(bytes: number): void {
    if (this.#flushers.length === 0) return;
    this.#flushers = this.#flushers.filter(({ target, reached }) => {
      if (bytes < target()) return true;
      reached.resolve();
      return false;
    });
  }

  /**
   * Rejects all promises. The reader is first, because the connection ends with the reader's error.
   */
  rejectAll(error: unknown): void {
    this.#reader?.reject(error);
    this.#writer?.taken.reject(error);
    this.#ender?.reject(error);
    for (const { reached } of this.#flushers) reached.reject(error);
    this.#reader = this.#writer = undefined;
    this.#flushers = [];
  }
}
