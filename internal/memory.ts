/** Who owns a chunk of memory, from read to recycle, and from send to done. */

/** The size of a block. Smaller reads and writes would cost more system calls. */
export const BLOCK_BYTES: number = 64 * 1024;
/** Together at most 4 MiB. */
const MAX_SPARE_BLOCKS = 64;
const spare: Uint8Array[] = [];
/** Together at most 256 KiB. */
const MAX_SPARE_SMALL_BLOCKS = 256;
const spareSmall: Uint8Array[] = [];

/**
 * Where blocks of memory come from, and where they go back to. The system fills a new block with zeros,
 * which costs more than to read into it. So blocks of 64 KiB, and of 1 KiB for small writes, are used
 * again when nobody uses them any more. One rule holds for all memory: **it has one owner at a time, and only the owner may change it,
 * hand it on, or give it back.** An owner need not give it back; then the garbage collector takes it.
 *
 * ## In: from `read()` to `recycle()`
 *
 * | step                            | who owns it then | what the owner does with it                         |
 * | ------------------------------- | ---------------- | --------------------------------------------------- |
 * | 1. a transport takes a block    | the transport    | reads into the part of it that is still free        |
 * | 2. `read()` gives a chunk of it | the connection   | hands it to the decoder, or drops it                |
 * | 3. `decoder.decode(chunk)`      | the decoder      | finds messages; WebSocket's decoder unmasks them    |
 * | 4. messages lie inside it       | the program      | anything, for as long as it wants                   |
 * | 5. or its bytes were copied     | the decoder      | gives it back to `abilities.chunks`                 |
 *
 * A connection that waits for its next bytes waits with a slot of 256 B, which the transport keeps
 * until it is closed. What arrives there is copied into a chunk of its own in step 2.
 *
 * Several chunks may lie side by side in one block. The owner of a chunk changes nothing outside
 * it. In step 4 only the program can give the memory back, by `Batch.recycle()`, because nobody else
 * knows how long it keeps the messages. A block is used again when all of its parts were given back:
 * the chunks by their owners, and what was never read into by the transport.
 *
 * A large message may be read straight into the buffer where it is assembled. The decoder owns that
 * buffer. It lends the buffer to the transport, as the `readTarget` of `read()`, until the promise of
 * `read()` settles. The chunk is then the start of the buffer. When the message is whole, the program
 * owns the buffer. `Batch.recycle()` gives it back, too, for another large message.
 *
 * ## Out: from `send()` to done
 *
 * | what                             | who owns it until it was written    | what happens to it then           |
 * | -------------------------------- | ----------------------------------- | --------------------------------- |
 * | a message up to 64 KiB           | the program: the outbox copies it   | the program may change it at once |
 * | the block that it was copied to  | the outbox                          | goes back to `abilities.blocks`   |
 * | or the small block               | the outbox                          | goes back to `SMALL_BLOCKS`       |
 * | the rest of a larger message     | nobody: it must not change          | the program may change it         |
 * | a frame for many connections     | nobody: it never changes            | nothing; others may write it too  |
 * | a frame that is sent in place    | the outbox                          | goes back to the memory given     |
 *
 * A block goes back when its last byte was written, or when it is dropped before its first byte was
 * written. While the promise of `write()` is pending, the transport may read the chunk, but never
 * changes it. When a connection breaks, that promise may stay pending for long. So after a break no
 * waiting block goes back. Some transports still read a chunk after the promise has settled, or
 * hand the chunk on. Such a transport sets `keeps`: then no block is used twice, and none is shared
 * between connections.
 *
 * A block of a session has several holders, because the same bytes wait for the socket and for the
 * peer's acknowledgment. `HeldBlocks` counts the holders, and gives the block back after the last one.
 * What a session receives is copied into blocks of their own, and these belong to its reader, as step 2 says.
 */
export interface Memory {
  /** The length of a block. */
  readonly bytes: number;
  /**
   * Whether a transport keeps the blocks that were written to it, so that they cannot be used again.
   *
   * @default false
   */
  readonly keeps?: boolean;
  /** A block with any content. The caller owns it. */
  take(): Uint8Array;
  /** Gives back a block that the caller owns. Does nothing with a chunk that is not a whole block. */
  recycle(chunk: Uint8Array): void;
}

/** A block with any content. */
export function takeBlock(): Uint8Array {
  return spare.pop() ?? new Uint8Array(BLOCK_BYTES);
}

/** How many bytes of each block were given back in parts. */
const returned = new WeakMap<ArrayBufferLike, number>();

/**
 * Gives back a block, or a part of it, that nobody uses any more. The block is used again when all of it
 * was given back. Does nothing with memory of another size.
 */
export function recycle(part: Uint8Array): void {
  const { buffer, length } = part;
  if (buffer.byteLength !== BLOCK_BYTES || length === 0 || spare.length >= MAX_SPARE_BLOCKS) return;
  if (length === BLOCK_BYTES) {
    spare.push(part);
    return;
  }
  const bytes = (returned.get(buffer) ?? 0) + length;
  if (bytes < BLOCK_BYTES) returned.set(buffer, bytes);
  else {
    returned.delete(buffer);
    spare.push(new Uint8Array(buffer));
  }
}

/** Together at most 16 MiB. */
const MAX_SPARE_LARGE = 4;
/** A full frame of a session has nearly a block. */
const MIN_LARGE_BYTES = BLOCK_BYTES / 2;
const MAX_LARGE_BYTES = 4 * 1024 * 1024;
const spareLarge: ArrayBufferLike[] = [];

/** Memory with any content for a large message: what was given back, if it has that size. */
export function takeLarge(bytes: number): Uint8Array {
  const i = spareLarge.findIndex(({ byteLength }) => byteLength === bytes);
  return i < 0 ? new Uint8Array(bytes) : new Uint8Array(spareLarge.splice(i, 1)[0]);
}

/** Gives back the memory of a large message that nobody uses any more. Does nothing with smaller ones. */
export function recycleLarge(buffer: ArrayBufferLike): void {
  const { byteLength } = buffer;
  if (byteLength < MIN_LARGE_BYTES || byteLength > MAX_LARGE_BYTES) return;
  if (spareLarge.length === MAX_SPARE_LARGE) spareLarge.shift();
  spareLarge.push(buffer);
}

/** The default: blocks that all connections share. */
export const SHARED_BLOCKS: Memory = { bytes: BLOCK_BYTES, take: takeBlock, recycle };

/** Small blocks that all connections share, for those that send little at a time. */
export const SMALL_BLOCKS: Memory = {
  bytes: 1024,
  take: () => spareSmall.pop() ?? new Uint8Array(SMALL_BLOCKS.bytes),
  recycle(block) {
    const isWhole = block.length === SMALL_BLOCKS.bytes;
    if (isWhole && spareSmall.length < MAX_SPARE_SMALL_BLOCKS) spareSmall.push(block);
  },
};

/** Blocks for transports that keep what was written to them. */
export const KEPT_BLOCKS: Memory = {
  bytes: BLOCK_BYTES,
  keeps: true,
  take: () => new Uint8Array(BLOCK_BYTES),
  recycle: () => {},
};

/** The same, for those that send little at a time. */
export const KEPT_SMALL_BLOCKS: Memory = {
  bytes: SMALL_BLOCKS.bytes,
  keeps: true,
  take: () => new Uint8Array(SMALL_BLOCKS.bytes),
  recycle: () => {},
};
