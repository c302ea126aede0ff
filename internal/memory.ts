/** Blocks of 64 KiB for reading and writing, used again: a new one has to be filled with zeros first. */

/** As large as one read or write usefully is; smaller ones cost system calls. */
export const BLOCK_BYTES: number = 64 * 1024;
/** At most 4 MiB are kept. */
const MAX_SPARE_BLOCKS = 64;
const spare: Uint8Array[] = [];

/** A block with any content. */
export function takeBlock(): Uint8Array {
  return spare.pop() ?? new Uint8Array(BLOCK_BYTES);
}

/** Gives back a block that nobody looks at any more; memory of another size is left alone. */
export function recycle(block: Uint8Array): void {
  if (block.length === BLOCK_BYTES && spare.length < MAX_SPARE_BLOCKS) spare.push(block);
}

/** Where the blocks come from in which frames are put together, and where they go when written. */
export interface Blocks {
  /** The length of a block. */
  readonly bytes: number;
  /** A block with any content. */
  take(): Uint8Array;
  /** Gives back a block; memory of another size is left alone. */
  recycle(block: Uint8Array): void;
}

/** The blocks that all share. */
export const SHARED_BLOCKS: Blocks = { bytes: BLOCK_BYTES, take: takeBlock, recycle };

/** Blocks for whoever keeps what was written. */
export const KEPT_BLOCKS: Blocks = {
  bytes: BLOCK_BYTES,
  take: () => new Uint8Array(BLOCK_BYTES),
  recycle: () => {},
};
