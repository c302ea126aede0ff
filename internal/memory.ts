/** Who owns a chunk of memory, from read to recycle, and from send to done. */

/** As large as one read or write usefully is; smaller ones cost system calls. */
export const BLOCK_BYTES: number = 64 * 1024;
/** At most 4 MiB are kept. */
const MAX_SPARE_BLOCKS = 64;
const spare: Uint8Array[] = [];

/**
 * Where memory comes from, and where it goes back to. A new block has to be filled with zeros first,
 * which costs more than reading into it: so blocks of 64 KiB are used again, when nobody looks at
 * them any more. One sentence holds for all of it: **memory has one owner at a time, and only the owner
 * may change it, hand it on, or give it back.** Whoever does not give it back leaves it to the garbage
 * collector, which is always allowed.
 *
 * ## In: from `read()` to `recycle()`
 *
 * | step                             | owner          | who may read it      | who may change it                 |
 * | -------------------------------- | -------------- | -------------------- | --------------------------------- |
 * | 1. a transport takes a block     | transport      | transport            | transport: it reads into it       |
 * | 2. `read()` gives a chunk of it  | the receiver   | the receiver         | nobody: other chunks may share it |
 * | 3. `decoder.decode(chunk)`       | the decoder    | the decoder          | nobody                            |
 * | 4a. messages lie inside it       | the program    | whoever has them     | the program                       |
 * | 4b. its bytes were copied        | the decoder    | nobody               | nobody                            |
 *
 * After 4a it is never given back, since nobody knows how long the messages are kept. After 4b the
 * decoder gives it back to `abilities.chunks` of the transport, if it is all of its block: then
 * no message, and no other chunk, lies in the same memory. A receiver that has no use for a chunk may
 * give it back too.
 *
 * A large message may be read straight into its place. Then the decoder owns that place; the transport
 * borrows it, as `room` of `read()`, until the promise of that settles, and gives its start as
 * the chunk; and the program owns it with the message.
 *
 * ## Out: from `send()` to done
 *
 * | what                                | owner until it was written  | after that                          |
 * | ----------------------------------- | --------------------------- | ----------------------------------- |
 * | a small message                     | the program: it is copied   | the program had it back at once     |
 * | the block it was copied to          | the outbox                  | given back to `abilities.blocks`    |
 * | the rest of a large message         | nobody: it must not change  | the program                         |
 * | a frame for many connections        | nobody: it never changes    | the garbage collector               |
 * | a frame that is sent where it lies  | the outbox                  | given back to the memory it came by |
 *
 * A block is given back when the last byte of it was written, or when it was dropped and none was. A
 * transport that is writing a chunk may read it until the promise of `write()` settles, and never
 * changes it. When a connection breaks, a write may still be under way: what waited is left to the
 * garbage collector then. A transport that goes on reading what was written, or that hands the memory
 * to somebody else, says so by `keeps`: then nothing is used twice, and nothing shared with others.
 *
 * A block of a session has several holders, because the same bytes wait for the socket and for the
 * peer's acknowledgment: `HeldBlocks` counts them, and gives it back after the last one.
 */
export interface Memory {
  /** The length of a block. */
  readonly bytes: number;
  /**
   * Whether blocks stay with whoever they were written to, so that nobody else may use them again.
   *
   * @default false
   */
  readonly keeps?: boolean;
  /** A block with any content. The caller owns it. */
  take(): Uint8Array;
  /** Gives back memory that the caller owns; what is not a whole block of it is left alone. */
  recycle(chunk: Uint8Array): void;
}

/** A block with any content. */
export function takeBlock(): Uint8Array {
  return spare.pop() ?? new Uint8Array(BLOCK_BYTES);
}

/** Gives back a block that nobody looks at any more; memory of another size is left alone. */
export function recycle(block: Uint8Array): void {
  if (block.length === BLOCK_BYTES && spare.length < MAX_SPARE_BLOCKS) spare.push(block);
}

/** The blocks that all share who say nothing else. */
export const SHARED_BLOCKS: Memory = { bytes: BLOCK_BYTES, take: takeBlock, recycle };

/** Blocks for whoever keeps what was written. */
export const KEPT_BLOCKS: Memory = {
  bytes: BLOCK_BYTES,
  keeps: true,
  take: () => new Uint8Array(BLOCK_BYTES),
  recycle: () => {},
};
