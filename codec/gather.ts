/** Gathers the pieces of one frame until the frame is whole. */

import { type Memory, takeLarge } from "../internal/memory.ts";

/** Pieces below this size are copied into blocks, because each view costs over a hundred bytes. */
const SMALL_PIECE_BYTES = 4096;
const MAX_BLOCK_BYTES = 16 * 1024;
const MIN_BLOCK_BYTES = 256;
/** When fewer bytes are missing, an ordinary read is better: it may bring the next frames, too. */
const MIN_READ_BYTES = 8 * 1024;

/**
 * Holds the pieces of one unfinished frame. Large pieces stay where they are until the frame is whole.
 * Small pieces are copied into blocks, which grow with what has arrived. So the memory in use is what
 * has arrived plus one block, and the time is linear, even if the pieces are tiny.
 */
export class Gather {
  /** Where a small frame is assembled. */
  #small: Uint8Array | undefined;
  /** Where a large frame is assembled if the transport reads straight into it. */
  #target: Uint8Array | undefined;
  #pieces: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #blockUsed = 0;
  #bytes = 0;
  readonly #memory: Memory | undefined;

  /** When the frame is whole, large pieces go back to `memory`. */
  constructor(memory?: Memory) {
    this.#memory = memory;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a piece of a frame. The whole frame will have `total` bytes, if that is known. A large piece
   * is not copied, unless it is less than half of the buffer that it would keep in memory.
   */
  push(piece: Uint8Array, total: number = Infinity): void {
    if (total <= MAX_SHARED_BYTES) {
      this.#small ??= takeShared(total);
      this.#small.set(piece, this.#bytes);
      this.#bytes += piece.length;
      return;
    }
    if (this.#target !== undefined) {
      this.#append(piece);
      return;
    }
    if (piece.length >= SMALL_PIECE_BYTES) {
      this.#seal();
      this.#pieces.push(piece.length < piece.buffer.byteLength / 2 ? piece.slice() : piece);
      this.#bytes += piece.length;
      return;
    }
    let rest = piece;
    while (rest.length > 0) {
      if (this.#block === undefined) {
        const wanted = Math.max(MIN_BLOCK_BYTES, this.#bytes, 2 * rest.length);
        const bytes = Math.min(MAX_BLOCK_BYTES, wanted);
        this.#block = new Uint8Array(bytes);
      }
      const part = rest.subarray(0, this.#block.length - this.#blockUsed);
      this.#block.set(part, this.#blockUsed);
      this.#blockUsed += part.length;
      this.#bytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#blockUsed === this.#block.length) this.#seal();
    }
  }

  /**
   * The buffer for the rest of a frame of `total` bytes. Undefined when little of the frame is missing,
   * or when `total` is above both `bytes` and four times what has arrived.
   */
  target(total: number, bytes: number): Uint8Array | undefined {
    const missing = total - this.#bytes;
    if (missing < MIN_READ_BYTES || total > bytes && total > 4 * this.#bytes) return undefined;
    this.#target ??= this.#move(total);
    return this.#target.subarray(this.#bytes);
  }

  /** Moves what has arrived into a new buffer for the whole frame. */
  #move(total: number): Uint8Array {
    this.#seal();
    const target = takeLarge(total);
    this.#copyTo(target, 0);
    this.#pieces = [];
    return target;
  }

  #append(piece: Uint8Array): void {
    const target = this.#target!;
    // What was read into the target is there already.
    if (piece.buffer !== target.buffer) target.set(piece, this.#bytes);
    this.#bytes += piece.length;
  }

  /** Gives everything from byte `skip` on, followed by `last`, as one array. Then it holds nothing. */
  take(skip: number, last: Uint8Array): Uint8Array {
    if (this.#small !== undefined) {
      this.#small.set(last, this.#bytes);
      const whole = this.#small.subarray(skip);
      this.clear();
      return whole;
    }
    if (this.#target !== undefined) {
      this.#append(last);
      const whole = this.#target.subarray(skip);
      this.clear();
      return whole;
    }
    this.#seal();
    const whole = new Uint8Array(this.#bytes + last.length - skip);
    const at = this.#copyTo(whole, skip);
    whole.set(at < 0 ? last.subarray(-at) : last, Math.max(at, 0));
    this.clear();
    return whole;
  }

  /**
   * Copies the pieces from byte `skip` on. Returns where they end, negative inside the skipped
   * part.
   */
  #copyTo(target: Uint8Array, skip: number): number {
    let at = -skip;
    for (const piece of this.#pieces) {
      const part = at < 0 ? piece.subarray(-at) : piece;
      target.set(part, Math.max(at, 0));
      at += piece.length;
      // A piece that fills its whole buffer shares the buffer with no message.
      if (piece.length === piece.buffer.byteLength) this.#memory?.recycle(piece);
    }
    return at;
  }

  /** Whether a view of the chunk is held. */
  keeps(chunk: Uint8Array): boolean {
    return this.#pieces.at(-1)?.buffer === chunk.buffer;
  }

  /** Drops everything held. */
  clear(): void {
    this.#small = undefined;
    this.#target = undefined;
    this.#pieces = [];
    this.#block = undefined;
    this.#blockUsed = 0;
    this.#bytes = 0;
  }

  #seal(): void {
    if (this.#block === undefined) return;
    const used = this.#block.subarray(0, this.#blockUsed);
    this.#pieces.push(used.length < this.#block.length / 2 ? used.slice() : used);
    this.#block = undefined;
    this.#blockUsed = 0;
  }
}

/** Small frames share a block: an ArrayBuffer for each would cost more than copying. */
const SHARED_BLOCK_BYTES = 16 * 1024;
const MAX_SHARED_BYTES = 2 * 1024;
let shared: Uint8Array | undefined;
let sharedUsed = 0;

function takeShared(bytes: number): Uint8Array {
  if (shared === undefined || bytes > shared.length - sharedUsed) {
    shared = new Uint8Array(SHARED_BLOCK_BYTES);
    sharedUsed = 0;
  }
  const part = shared.subarray(sharedUsed, sharedUsed + bytes);
  sharedUsed += bytes;
  return part;
}
