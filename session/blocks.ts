/** Memory of a session's stream. The outbox, the stream and the carriers may hold the same block. */

import { BLOCK_BYTES, type Memory, recycle, SHARED_BLOCKS, takeBlock } from "../internal/memory.ts";
import { DATA_HEADER_BYTES } from "./wire.ts";

/** The longest header of the framing of a carrier. */
const MAX_CARRIER_HEADER_BYTES = 15;
/**
 * Free bytes before a block for the headers of frame and carrier, so that it is sent without a
 * copy.
 */
export const HEADROOM: number = MAX_CARRIER_HEADER_BYTES + DATA_HEADER_BYTES;
/** The longest frame that is sent: together with any carrier's header, it fills a block. */
export const LONGEST_SENT_BYTES: number = BLOCK_BYTES - MAX_CARRIER_HEADER_BYTES;

/** A chunk that fills this share of a block is copied into one. More would be kept than was received. */
const MIN_FILLED_SHARE = 3 / 4;

/** Where readers of a session give back what they do not need any more. */
export const RECEIVED: Memory | undefined = SHARED_BLOCKS;

/** A copy of a received chunk, which its reader may give back if it fills most of a block. */
export function copyOfReceived(bytes: Uint8Array): Uint8Array {
  if (bytes.length < MIN_FILLED_SHARE * BLOCK_BYTES || bytes.length > BLOCK_BYTES) {
    return bytes.slice();
  }
  const block = takeBlock();
  block.set(bytes);
  recycle(block.subarray(bytes.length));
  return block.subarray(0, bytes.length);
}

/**
 * Blocks with free bytes before them. A block is used again only when nobody holds it any more. So
 * a peer that acknowledges bytes before they were written does not get bytes of another connection.
 */
export class HeldBlocks implements Memory {
  readonly bytes: number = BLOCK_BYTES - HEADROOM;
  /**
   * How many holders each block has. A carrier that broke never gives its blocks back. Created when
   * it is needed, because most idle sessions do not need it.
   */
  #holders: WeakMap<ArrayBufferLike, number> | undefined;

  /** A block that the caller holds. */
  take(): Uint8Array {
    const block = takeBlock().subarray(HEADROOM);
    (this.#holders ??= new WeakMap()).set(block.buffer, 1);
    return block;
  }

  /** Whether a chunk lies in a block that somebody holds. */
  isHeld({ buffer }: Uint8Array): boolean {
    return this.#holders?.has(buffer) ?? false;
  }

  /** Whether a chunk is the start of a block. */
  isBlock(chunk: Uint8Array): boolean {
    return chunk.byteOffset === HEADROOM && this.isHeld(chunk);
  }

  /** Whether a frame is a DATA frame around the start of a block. */
  isFrame(frame: Uint8Array): boolean {
    return frame.byteOffset === MAX_CARRIER_HEADER_BYTES && this.isHeld(frame);
  }

  /** Adds a holder to the block in which a chunk lies. */
  hold({ buffer }: Uint8Array): void {
    this.#holders!.set(buffer, this.#holders!.get(buffer)! + 1);
  }

  /** Removes a holder from the block in which a chunk lies. Does nothing with other memory. */
  recycle({ buffer }: Uint8Array): void {
    const holders = this.#holders?.get(buffer);
    if (holders === undefined) return;
    this.#holders!.set(buffer, holders - 1);
    if (holders > 1) return;
    this.#holders!.delete(buffer);
    recycle(new Uint8Array(buffer));
  }
}
