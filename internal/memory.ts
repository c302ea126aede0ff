/** Who owns a chunk of memory, from read to recycle, and from send to done. */

/** As large as one read or write usefully is; smaller ones cost system calls. */
export const BLOCK_BYTES: number = 64 * 1024;
/** At most 4 MiB are kept. */
const MAX_SPARE_BLOCKS = 64;
const spare: Uint8Array[] = [];

/**
 * Where memory comes from, and where it goes back to. A new block is filled with zeros first, which
 * costs more than to read into it: so blocks of 64 KiB are used again when nobody looks at them any
 * more. One rule holds for all of them: **memory has one owner at a time, and only the owner may change
 * it, hand it on, or give it back.** An owner need not give it back: the garbage collector takes it.
 *
 * ## In: from `read()` to `recycle()`
 *
 * | step                            | who owns it then | what the owner does with it                         |
 * | ------------------------------- | ---------------- | --------------------------------------------------- |
 * | 1. a transport takes a block    | the transport    | reads into what is left of it                       |
 * | 2. `read()` gives a chunk of it | the connection   | hands it to the decoder, or drops it                |
 * | 3. `decoder.decode(chunk)`      | the decoder      | looks for messages; WebSocket's unmasks them there  |
 * | 4. messages lie inside it       | the program      | what it likes, for as long as it likes              |
 * | 5. or its bytes were copied     | the decoder      | gives it back, to `abilities.chunks`                |
 *
 * Several chunks may lie side by side in one block: the owner of one changes nothing around it. After
 * step 4 a block is never given back, since nobody knows how long the messages are kept. In step 5 it
 * is, if the chunk is all of the block: then nothing else lies in the same memory.
 *
 * A large message may be read straight into the buffer where it is assembled. The decoder owns that
 * buffer. It lends the buffer to the transport, as the `readTarget` of `read()`, until the promise of
 * `read()` settles. The chunk is then the start of the buffer. When the message is whole, the program
 * owns the buffer.
 *
 * ## Out: from `send()` to done
 *
 * | what                             | who owns it until it was written    | what becomes of it then           |
 * | -------------------------------- | ----------------------------------- | --------------------------------- |
 * | a message up to 64 KiB           | the program: the outbox copies it   | the program may change it at once |
 * | the block that it was copied to  | the outbox                          | goes back, to `abilities.blocks`  |
 * | the rest of a larger message     | nobody: it must not change          | the program may change it         |
 * | a frame for many connections     | nobody: it never changes            | nothing; others may write it too  |
 * | a frame that is sent in place    | the outbox                          | goes back, to the memory given    |
 *
 * A block goes back when its last byte was written, or when it is dropped before its first one was.
 * While the promise of `write()` is pending, the transport may read the chunk; it never changes it. When
 * a connection breaks, that may be so for long: nothing that waited goes back then. A transport that
 * still reads a chunk after that, or hands it on, says so by `keeps`: then no block is used twice, and
 * none is shared between connections.
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
