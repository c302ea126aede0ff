/** The decoder that all framings share whose frames must be scanned to find where they end. */

import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { type Decoder, EMPTY } from "./framing.ts";
import { Gather } from "./gather.ts";
import { hexByte } from "./hint.ts";

/**
 * Finds where a frame ends. It keeps its state from chunk to chunk, so no byte is scanned twice. Each
 * framing adds `scan()`, and what of the rest is different there.
 *
 * An offset counts the bytes of the frame before a byte; errors count from the start of the stream.
 * Neither depends on how the stream was cut, and so no error does.
 */
export abstract class FrameScanner {
  /** The size of the frame that is being scanned, in bytes, as soon as it is known. */
  total = Infinity;
  /** Where in the stream the frame begins. */
  start = 0;

  /**
   * Takes the largest message, how many bytes the frame of a message may have in addition, and what is
   * done with the message, for errors.
   */
  constructor(
    readonly maxMessageBytes: number,
    readonly extraBytes: number,
    readonly verb: "send" | "receive",
  ) {}

  /**
   * Scans on from `at`. Returns where the frame ends, and is ready for the next one; or returns -1 if
   * it does not end before `end`. The byte at `at` has the offset `at + origin`.
   *
   * @throws {ProtocolError} if no frame can be like that.
   */
  abstract scan(bytes: Uint8Array, at: number, end: number, origin: number): number;

  /** Where the next frame begins: skips what stands between two frames. */
  skip(_bytes: Uint8Array, at: number, _end: number): number {
    return at;
  }

  /**
   * The message in the frame that was scanned last, which lies between two positions. Only if the bytes
   * are the decoder's own, they may be changed.
   */
  unwrap(bytes: Uint8Array, from: number, to: number, _isOwn: boolean): Uint8Array {
    return view(bytes, from, to);
  }

  /** Whether the frame is whole if the stream ends here. */
  isWhole(): boolean {
    return false;
  }

  /** At least how many bytes the unfinished frame lacks; `offset` bytes of it have arrived. */
  missing(offset: number): number {
    return this.total === Infinity ? 1 : this.total - offset;
  }

  /** Where in the stream an offset is, in words. */
  at(offset: number): string {
    return `at byte ${this.start + offset}`;
  }

  /** Refuses a message; `what` says what is wrong, and where. */
  refuse(what: string): never {
    throw new InvalidMessageError(`Cannot ${this.verb} message: ${what}`);
  }

  /** Refuses a message for a byte that cannot stand where it does. */
  refuseByte(byte: number, offset: number, wanted: string): never {
    this.refuse(`it has ${show(byte)} ${this.at(offset)}, where ${wanted} must be`);
  }

  /** Refuses a message for its size, `isPart` if that is the size of a part only. */
  refuseSize(size: number, isPart = false): never {
    const where = `${isPart ? "at least, " : ""}its frame begins at byte ${this.start}`;
    throw new MessageTooLargeError(this.verb, size, this.maxMessageBytes, where);
  }
}

/** A byte as an error shows it: a character, or a number. */
export function show(byte: number): string {
  const isPrintable = byte > 0x20 && byte < 0x7f;
  return isPrintable ? JSON.stringify(String.fromCharCode(byte)) : hexByte(byte);
}

/** The bytes between two positions, without a copy. */
export function view(bytes: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return EMPTY;
  // `new Uint8Array()` takes a fifth less time than subarray(), which looks up the species.
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

/**
 * Decodes frames that a scanner finds. A frame inside one chunk is not copied. The bytes of an
 * unfinished frame are in `#gather`, which is empty between frames.
 */
export class ScanDecoder implements Decoder {
  readonly #scanner: FrameScanner;
  readonly #maxFrameBytes: number;
  readonly #gather: Gather;
  /** What `#gather` was told of the frame's size when the frame began. */
  #total = Infinity;
  /** Bytes of the stream before this chunk. */
  #received = 0;
  #failure: unknown;

  /** Takes a scanner of its own. */
  constructor(scanner: FrameScanner, memory: Memory | undefined) {
    this.#scanner = scanner;
    this.#maxFrameBytes = scanner.maxMessageBytes + scanner.extraBytes;
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#gather.bytes;
  }

  readTarget(bytes: number): Uint8Array | undefined {
    const { total } = this.#scanner;
    return this.#gather.bytes === 0 || total === Infinity
      ? undefined
      : this.#gather.target(total, bytes);
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const scanner = this.#scanner;
      const { length } = chunk;
      for (let at = 0; at < length;) {
        const gathered = this.#gather.bytes;
        if (gathered === 0) {
          at = scanner.skip(chunk, at, length);
          if (at === length) break;
          scanner.start = this.#received + at;
        }
        // One byte more than the largest frame, because that byte may tell that the frame has ended.
        const end = Math.min(length, at + this.#maxFrameBytes - gathered + 1);
        const stop = scanner.scan(chunk, at, end, gathered - at);
        this.#checkSize(gathered + (stop < 0 ? end : stop) - at - scanner.extraBytes);
        if (stop < 0) {
          this.#suspend(chunk.subarray(at));
          break;
        }
        messages.push(
          gathered === 0
            ? this.#unwrap(chunk, at, stop, false)
            : this.#finish(chunk.subarray(at, stop)),
        );
        at = stop;
      }
      this.#received += length;
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    const { pendingBytes } = this;
    if (pendingBytes === 0) return messages;
    try {
      if (!this.#scanner.isWhole()) {
        const missing = this.#scanner.missing(pendingBytes);
        throw new TruncatedMessageError(pendingBytes, missing, "body");
      }
      messages.push(this.#finish(EMPTY));
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Keeps the start of a frame. */
  #suspend(rest: Uint8Array): void {
    if (this.#gather.bytes === 0) this.#total = this.#scanner.total;
    this.#gather.push(rest, this.#total);
  }

  /** The message of a frame that began in an earlier chunk. */
  #finish(last: Uint8Array): Uint8Array {
    const frame = this.#gather.take(0, last);
    return this.#unwrap(frame, 0, frame.length, true);
  }

  #unwrap(bytes: Uint8Array, from: number, to: number, isOwn: boolean): Uint8Array {
    this.#scanner.total = Infinity;
    const message = this.#scanner.unwrap(bytes, from, to, isOwn);
    this.#checkSize(message.length);
    return message;
  }

  #checkSize(size: number): void {
    if (size > this.#scanner.maxMessageBytes) this.#scanner.refuseSize(size, true);
  }

  /** Where the next frame begins is not known any more: from now on, every call throws this error. */
  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    return error;
  }
}
