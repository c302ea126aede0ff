/** How a session keeps the bytes that it sends: in blocks, with space for headers before them. */

import { BLOCK_BYTES } from "../internal/memory.ts";
import { HEADROOM, HeldBlocks } from "./blocks.ts";
import { MIN_HELD_BYTES, OutgoingStream, type Piece } from "./outgoing_stream.ts";
import { DATA_HEADER_BYTES } from "./wire.ts";

/** A chunk keeps its whole block in memory, so it must fill at least this share of it. */
const MIN_KEPT_SHARE = 3 / 4;
const SMALL_BLOCK_BYTES = 512;
const MIDDLE_BLOCK_BYTES = 4 * 1024;

/** A piece of the stream, in memory that has space for a header before it. */
interface Block extends Piece {
  /** How many bytes it can hold. The memory behind them belongs to the writer of the block. */
  capacity: number;
}

/**
 * Memory for frames that do not begin where a block begins: there is no space for a header before
 * their bytes.
 */
const scratch = new Uint8Array(BLOCK_BYTES);

/** The stream that this end sends, in blocks that are sent from their place. */
export class Outgoing extends OutgoingStream<Block> {
  readonly blocks: HeldBlocks = new HeldBlocks();

  /** A chunk that fills most of a block is kept where it is; other chunks are copied. */
  protected keep(chunk: Uint8Array, bytes: number, endsMessage: boolean): void {
    if (this.#keepInPlace(chunk, bytes, endsMessage)) return;
    for (let at = 0; at < bytes;) at += this.#append(chunk.subarray(at, bytes));
  }

  /**
   * Keeps the start of a chunk where it is, if it fills most of a block, or if it follows the last
   * kept bytes in memory. It is not kept if the block has only a part of a message, because the
   * rest would be a frame of its own.
   */
  #keepInPlace(chunk: Uint8Array, bytes: number, endsMessage: boolean): boolean {
    const last = this.kept.at(-1);
    if (last !== undefined && follows(last, chunk)) {
      last.used = last.capacity += bytes;
    } else if (
      endsMessage && bytes >= this.blocks.bytes * MIN_KEPT_SHARE && this.blocks.isBlock(chunk)
    ) {
      if (last !== undefined) this.#close(last);
      this.blocks.hold(chunk);
      const memory = new Uint8Array(chunk.buffer, HEADROOM);
      this.kept.push({ memory, base: this.written, used: bytes, capacity: bytes });
    } else return false;
    this.written += bytes;
    return true;
  }

  /**
   * Ends a block. If it has only few bytes, they are copied to smaller memory, because they are not
   * worth a whole block.
   */
  #close(block: Block): void {
    block.capacity = block.used;
    if (block.used > this.blocks.bytes * MIN_KEPT_SHARE || !this.blocks.isHeld(block.memory)) {
      return;
    }
    const memory = new Uint8Array(HEADROOM + block.used).subarray(HEADROOM);
    memory.set(block.memory.subarray(0, block.used));
    this.blocks.recycle(block.memory);
    block.memory = memory;
  }

  #append(chunk: Uint8Array): number {
    let block = this.kept.at(-1);
    if (block === undefined || block.used === block.capacity) {
      const memory = this.#allocate(chunk.length);
      block = { memory, base: this.written, used: 0, capacity: memory.length };
      this.kept.push(block);
    }
    const bytes = Math.min(chunk.length, block.capacity - block.used);
    block.memory.set(chunk.subarray(0, bytes), block.used);
    block.used += bytes;
    this.written += bytes;
    return bytes;
  }

  /** There may be many idle sessions, so each keeps little memory. */
  #allocate(wanted: number): Uint8Array {
    const kept = this.unacknowledgedBytes;
    if (wanted > MIDDLE_BLOCK_BYTES - HEADROOM || kept > BLOCK_BYTES) return this.blocks.take();
    const isSmall = kept === 0 && wanted <= SMALL_BLOCK_BYTES - HEADROOM;
    return new Uint8Array(isSmall ? SMALL_BLOCK_BYTES : MIDDLE_BLOCK_BYTES).subarray(HEADROOM);
  }

  protected wanted(onlyFull: boolean): number {
    let block = this.kept[this.cursor];
    while (block.base + block.used <= this.sent) block = this.kept[++this.cursor];
    return onlyFull && block.used < block.capacity ? 0 : block.base + block.used - this.sent;
  }

  /** Only the start of a block has space for the header before it. */
  protected frame(bytes: number): Uint8Array {
    const { memory, base } = this.kept[this.cursor];
    const from = this.sent - base;
    if (from === 0) {
      const start = memory.byteOffset - DATA_HEADER_BYTES;
      return new Uint8Array(memory.buffer, start, DATA_HEADER_BYTES + bytes);
    }
    scratch.set(memory.subarray(from, from + bytes), DATA_HEADER_BYTES);
    return scratch.subarray(0, DATA_HEADER_BYTES + bytes);
  }

  /**
   * Holds a frame, so that it can be sent from its place without a copy; returns false if it cannot
   * be held: smaller frames are copied, so that they leave together with others. The caller
   * releases it when it is written.
   */
  hold(frame: Uint8Array): boolean {
    if (frame.length < MIN_HELD_BYTES || !this.blocks.isFrame(frame)) return false;
    this.blocks.hold(frame);
    return true;
  }
}

/** Whether a chunk comes directly after the bytes of a block in the same memory. */
function follows({ memory, used }: Block, { buffer, byteOffset }: Uint8Array): boolean {
  return buffer === memory.buffer && byteOffset === memory.byteOffset + used;
}
