/** The decoder that all framings with a length prefix share. */

import { TruncatedMessageError } from "../errors.ts";
import type { Batch } from "./batch.ts";
import { type Decoder, EMPTY } from "./framing.ts";
import { Gather } from "./gather.ts";
import type { Memory } from "../internal/memory.ts";
import { Spans } from "./spans.ts";

/** One for all decoders, because one chunk is scanned at a time. */
const spans = new Spans();

/** What decoders between frames have gathered. Nothing is ever pushed to it. */
const NOTHING = new Gather();

/** A header up to this size gets its place at once. */
const SMALL_HEADER_BYTES = 64;

/**
 * Decodes frames whose header tells their length. Each kind of prefix adds only `measure()`.
 *
 * Between two chunks, the decoder is in one of three positions:
 *
 * - inside a header: the header's bytes are in `#head`;
 * - inside a body: the frame's bytes are in `#gather`, and the frame's size is in `#total`;
 * - between frames: `#head` is empty, and `#gather` is `NOTHING`.
 */
export abstract class PrefixDecoder implements Decoder {
  /** How many bytes at the start of a frame are not part of its message. Set by `measure()`. */
  protected skip = 0;
  /** What stands for a message without bytes. `measure()` may set it. */
  protected empty: Uint8Array = EMPTY;
  /** How many bytes at the end of a frame are not part of its message. Set by `measure()`. */
  protected tail = 0;
  /** Where in the stream the first byte of the array stands that `measure()` sees. For errors. */
  protected origin = 0;
  #received = 0;
  /** Made for the first header that spans chunks: it costs more than the rest of the decoder. */
  #head: Uint8Array | undefined;
  readonly #maxHeaderBytes: number;
  #headBytes = 0;
  readonly #memory: Memory | undefined;
  /** Made for each frame that spans chunks: most connections wait between frames. */
  #gather = NOTHING;
  #total = 0;
  #failure: unknown;

  /** Takes the smallest and the largest size of a header, in bytes. */
  constructor(
    protected readonly minHeaderBytes: number,
    maxHeaderBytes: number,
    memory: Memory | undefined,
  ) {
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#memory = memory;
  }

  /**
   * The size of the frame that begins at `at`, or -1 if its header is not complete before `end`. Sets
   * `skip`. Throws if the length is too large or impossible.
   */
  protected abstract measure(chunk: Uint8Array, at: number, end: number): number;

  /** Checks the `tail` of a frame, which begins at `at`, byte `offset` of the stream. */
  protected checkTail?(bytes: Uint8Array, at: number, offset: number): void;

  /**
   * Adds the messages of all whole frames from `at` on, and returns where the next frame begins. It throws
   * for a frame that `measure()` refuses, or stops before it.
   */
  protected scan(chunk: Uint8Array, at: number, end: number, spans: Spans): number {
    while (at < end) {
      const total = this.measure(chunk, at, end);
      if (total < 0 || end - at < total) break;
      const start = at + this.skip;
      at += total;
      const tail = at - this.tail;
      if (this.tail > 0) this.checkTail?.(chunk, tail, this.origin + tail);
      spans.add(start, tail, this.empty);
    }
    return at;
  }

  /**
   * Adds views of the first messages of a chunk in one go, and returns where the next frame begins. It may
   * stop before any frame, and stops before one that is not whole or would be refused.
   */
  protected scanViews?(chunk: Uint8Array, at: number, messages: Uint8Array[]): number;

  get pendingBytes(): number {
    return this.#headBytes + this.#gather.bytes;
  }

  readTarget(bytes: number): Uint8Array | undefined {
    return this.#gather.bytes === 0 ? undefined : this.#gather.target(this.#total, bytes);
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const at = this.pendingBytes === 0 ? 0 : this.#resume(chunk, messages);
      let next = this.scanViews === undefined ? at : this.scanViews(chunk, at, messages);
      try {
        next = this.#scan(chunk, next);
      } finally {
        spans.pushViews(chunk, messages); // Also those before a frame that is refused.
      }
      this.#suspend(chunk, next);
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  decodeInto(batch: Batch, chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    const own: Uint8Array[] = [];
    spans.clear();
    let isKept = true;
    try {
      const at = this.pendingBytes === 0 ? 0 : this.#resume(chunk, own);
      isKept = this.#suspend(chunk, this.#scan(chunk, at));
    } catch (error) {
      throw this.#fail(error);
    } finally {
      batch.addOwn(own);
      // What was read into the place of a large message is a part of that message.
      const isPart = own.length > 0 && own[0].buffer === chunk.buffer;
      const part = isKept || isPart ? chunk.subarray(0, 0) : chunk;
      const memory = isKept ? undefined : this.#memory;
      batch.setChunk(spans.used > 0 ? chunk : part, spans, memory);
    }
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.pendingBytes === 0) return messages;
    const inHeader = this.#headBytes > 0;
    const missing = inHeader
      ? Math.max(1, this.minHeaderBytes - this.#headBytes)
      : this.#total - this.#gather.bytes;
    const part = inHeader ? "header" : "body";
    throw this.#fail(new TruncatedMessageError(this.pendingBytes, missing, part));
  }

  /** Where the next frame begins is not known any more: from now on, every call throws this error. */
  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#headBytes = 0;
    this.#gather = NOTHING;
    return error;
  }

  #scan(chunk: Uint8Array, at: number): number {
    spans.clear();
    this.origin = this.#received;
    return this.scan(chunk, at, chunk.length, spans);
  }

  /**
   * Keeps the start of a frame that is not whole, if one begins at `at`: in `#head` if the header is not
   * complete. Returns whether it keeps a view of the chunk.
   */
  #suspend(chunk: Uint8Array, at: number): boolean {
    const end = chunk.length;
    const total = at === end ? 0 : this.measure(chunk, at, end);
    this.#received += end;
    if (at === end) return this.#gather.keeps(chunk);
    const rest = chunk.subarray(at);
    if (total < 0) {
      this.#headOf(rest.length).set(rest);
      this.#headBytes = rest.length;
      return false;
    }
    this.#begin(rest, total);
    return this.#gather.keeps(chunk);
  }

  /** Gathers a frame from its first piece on. */
  #begin(piece: Uint8Array, total: number): void {
    this.#total = total;
    this.#gather = new Gather(this.#memory);
    this.#gather.push(piece, total);
  }

  /** The place for a header of so many bytes. Headers that may be long get it as they come. */
  #headOf(bytes: number): Uint8Array {
    if (this.#head !== undefined && this.#head.length >= bytes) return this.#head;
    const larger = new Uint8Array(
      Math.min(this.#maxHeaderBytes, Math.max(SMALL_HEADER_BYTES, 2 * bytes)),
    );
    if (this.#head !== undefined) larger.set(this.#head);
    return this.#head = larger;
  }

  /** Continues the unfinished frame. Returns how many bytes of the chunk it took. */
  #resume(chunk: Uint8Array, messages: Uint8Array[]): number {
    let at = 0;
    if (this.#headBytes > 0) {
      this.origin = this.#received - this.#headBytes;
      let total = -1;
      while (total < 0 && at < chunk.length) {
        const head = this.#headOf(this.#headBytes + 1);
        head[this.#headBytes++] = chunk[at++];
        total = this.measure(head, 0, this.#headBytes);
      }
      if (total < 0) return at;
      this.#begin(this.#head!.subarray(0, this.#headBytes), total);
      this.#headBytes = 0;
    }
    const missing = this.#total - this.#gather.bytes;
    if (chunk.length - at < missing) {
      this.#gather.push(chunk.subarray(at), this.#total);
      return chunk.length;
    }
    const rest = this.#gather.take(this.skip, chunk.subarray(at, at + missing));
    this.#gather = NOTHING;
    const bytes = rest.length - this.tail;
    if (this.tail > 0) this.checkTail?.(rest, bytes, this.#received + at + missing - this.tail);
    messages.push(bytes === 0 ? this.empty : this.tail === 0 ? rest : rest.subarray(0, bytes));
    return at + missing;
  }
}
