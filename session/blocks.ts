/** Memory of a session's stream, which several hold: outbox, stream, and carriers that write it. */

import { BLOCK_BYTES, type Memory, recycle, takeBlock } from "../internal/memory.ts";
import { DATA_HEADER_BYTES } from "./wire.ts";

/** The longest header of a carrier's framing. */
const MAX_CARRIER_HEADER_BYTES = 15;
/** Room before a block for the headers of frame and carrier, so that it is sent from where it is. */
export const HEADROOM: number = MAX_CARRIER_HEADER_BYTES + DATA_HEADER_BYTES;
/** The longest frame sent here: it fills a block, with any header before it. */
export const LONGEST_SENT_BYTES: number = BLOCK_BYTES - MAX_CARRIER_HEADER_BYTES;

/**
 * Blocks with room before them, which are used again when nobody holds them any more. A peer that
 * acknowledges what was not written yet gets nobody else's bytes.
 */
export class HeldBlocks implements Memory {
  readonly bytes: number = BLOCK_BYTES - HEADROOM;
  /**
   * How many hold a block. Those of a carrier that broke are never given back. Made when it is needed,
   * since most sessions that are idle never do.
   */
  #holders: WeakMap<ArrayBufferLike, number> | undefined;

  /** A block that the caller holds. */
  take(): Uint8Array {
    const block = takeBlock().subarray(HEADROOM);
    (this.#holders ??= new WeakMap()).set(block.buffer, 1);
    return block;
  }

  /** Whether a chunk is in a block that somebody holds. */
  isHeld({ buffer }: Uint8Array): boolean {
    return this.#holders?.has(buffer) ?? false;
  }

  /** Whether a chunk is the start of a block. */
  isBlock(chunk: Uint8Array): boolean {
    return chunk.byteOffset === HEADROOM && this.isHeld(chunk);
  }

  /** Whether a DATA frame is around the start of a block. */
  isFrame(frame: Uint8Array): boolean {
    return frame.byteOffset === MAX_CARRIER_HEADER_BYTES && this.isHeld(frame);
  }

  /** Somebody more holds the block that a chunk is in. */
  hold({ buffer }: Uint8Array): void {
    this.#holders!.set(buffer, this.#holders!.get(buffer)! + 1);
  }

  /** Somebody does not hold the block any more that a chunk is in; other memory is left alone. */
  recycle({ buffer }: Uint8Array): void {
    const holders = this.#holders?.get(buffer);
    if (holders === undefined) return;
    this.#holders!.set(buffer, holders - 1);
    if (holders > 1) return;
    this.#holders!.delete(buffer);
    recycle(new Uint8Array(buffer));
  }
}
