/** Bytes as they were received. */

import type { Framing } from "../codec.ts";

/** Bytes in one piece or in several. */
export type Raw = Uint8Array | readonly Uint8Array[];

/** Smaller chunks are copied side by side, because each view costs over a hundred bytes. */
const SMALL_BYTES = 4096;
/** The size of a block that such chunks are copied to. A smaller buffer need not be copied from. */
const BLOCK_BYTES = 16 * 1024;
/** No bytes at all. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What a frame may have in addition to twice the bytes of its message. */
const EXTRA_BYTES = 64 * 1024;

/**
 * The bytes behind the last message that was decoded. Together with the messages that wait in the
 * inbox, and the bytes of each of their chunks, that is all that was not taken.
 */
export class Tail {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** The last piece, if it is a block of its own that has room. */
  #room = 0;
  #isLost = false;

  /** Keeps at most what a frame of the framing can have. */
  constructor({ maxMessageBytes }: Framing) {
    this.#maxBytes = 2 * maxMessageBytes + EXTRA_BYTES;
  }

  /** The bytes; undefined if there were too many to keep. */
  get raw(): Raw | undefined {
    return this.#isLost ? undefined : this.#pieces;
  }

  /**
   * A chunk was decoded, and `tailBytes` are now behind the last message. Gives the bytes of the
   * messages that the chunk completed. Undefined if they are not known, or if there are none.
   */
  add(chunk: Uint8Array, tailBytes: number, isComplete: boolean): Raw | undefined {
    // What is behind the last message and belongs to no frame, such as padding, need not be kept.
    if (isComplete || tailBytes < this.#bytes + chunk.length) return this.#take(chunk, tailBytes);
    this.#push(chunk);
    return undefined;
  }

  /** As `add()`, when the decoder has failed: gives all bytes, also those behind the messages. */
  addAll(chunk: Uint8Array): Raw | undefined {
    return this.#take(chunk, 0);
  }

  /** The same bytes lie before `target` now. Returns whether no other memory is held any more. */
  moveBefore({ buffer, byteOffset }: Uint8Array): boolean {
    if (byteOffset !== this.#bytes) return this.#isLost;
    if (!this.#isLost) this.#pieces = [new Uint8Array(buffer, 0, byteOffset)];
    this.#room = 0;
    return true;
  }

  /** Whether a view of the chunk is held. */
  keeps(chunk: Uint8Array): boolean {
    return this.#pieces.at(-1)?.buffer === chunk.buffer;
  }

  #push(chunk: Uint8Array): void {
    if (this.#isLost || chunk.length === 0) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#clear();
      this.#isLost = true;
      return;
    }
    const last = this.#pieces.at(-1);
    if (last !== undefined && this.#isNext(last, chunk)) {
      const { buffer, byteOffset } = last;
      this.#pieces[this.#pieces.length - 1] = new Uint8Array(
        buffer,
        byteOffset,
        last.length + chunk.length,
      );
    } else if (chunk.length >= SMALL_BYTES) {
      this.#pieces.push(chunk);
      this.#room = 0;
    } else this.#copy(last, chunk);
  }

  /** Whether a chunk lies directly behind a piece, in memory that nobody writes to any more. */
  #isNext(last: Uint8Array, chunk: Uint8Array): boolean {
    return last.buffer === chunk.buffer && this.#room === 0 &&
      last.byteOffset + last.length === chunk.byteOffset;
  }

  #copy(last: Uint8Array | undefined, chunk: Uint8Array): void {
    if (last !== undefined && this.#room >= chunk.length) {
      const { buffer, byteOffset, length } = last;
      const longer = new Uint8Array(buffer, byteOffset, length + chunk.length);
      longer.set(chunk, length);
      this.#pieces[this.#pieces.length - 1] = longer;
      this.#room -= chunk.length;
      return;
    }
    // The first small chunk stays where it is: mostly the next one completes the message.
    if (this.#pieces.length === 0) {
      this.#pieces.push(chunk);
      return;
    }
    const block = new Uint8Array(Math.max(chunk.length, Math.min(this.#bytes, BLOCK_BYTES)));
    block.set(chunk);
    this.#pieces.push(block.subarray(0, chunk.length));
    this.#room = block.length - chunk.length;
  }

  /** Keeps the last `tailBytes`, and gives what is before them. */
  #take(chunk: Uint8Array, tailBytes: number): Raw | undefined {
    const before = this.raw;
    this.#clear();
    if (tailBytes > chunk.length) {
      const all = joined([...piecesOf(before ?? []), chunk]);
      this.#push(all.subarray(Math.max(0, all.length - tailBytes)));
      return all.subarray(0, Math.max(0, all.length - tailBytes));
    }
    const end = chunk.length - tailBytes;
    const own = tailBytes === 0 ? chunk : chunk.subarray(0, end);
    if (tailBytes > 0) {
      const isLittle = tailBytes < SMALL_BYTES && chunk.buffer.byteLength > BLOCK_BYTES;
      this.#push(isLittle ? chunk.slice(end) : chunk.subarray(end));
    }
    if (before === undefined) return undefined;
    return before.length === 0 ? own : [...piecesOf(before), own];
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#room = 0;
    this.#isLost = false;
  }
}

/** The pieces of bytes. */
export function piecesOf(raw: Raw): readonly Uint8Array[] {
  return raw instanceof Uint8Array ? [raw] : raw;
}

/** All pieces in one array. A single piece is not copied. */
export function joined(raw: Raw): Uint8Array {
  if (raw instanceof Uint8Array) return raw;
  if (raw.length === 0) return NO_BYTES;
  if (raw.length === 1) return raw[0];
  const all = new Uint8Array(raw.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of raw) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
