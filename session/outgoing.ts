/** The bytes that a session sends. They are kept until the peer acknowledges them. */

import type { EndInfo, Framing } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";
import { HEADROOM, HeldBlocks } from "./blocks.ts";
import { Boundaries } from "./boundaries.ts";
import { SessionCode } from "./codes.ts";
import { DATA_HEADER_BYTES, encodeEnd, writeDataHeader } from "./wire.ts";

/** How many unsent bytes may wait while there is a carrier: enough to fill frames, and no more. */
const MAX_UNSENT_BYTES = 2 * BLOCK_BYTES;
/** Smaller frames are copied, so that they leave together with others. */
const MIN_HELD_BYTES = 16 * 1024;
/** A chunk keeps its whole block in memory, so it must fill at least this share of it. */
const MIN_KEPT_SHARE = 3 / 4;
const SMALL_BLOCK_BYTES = 512;
const MIDDLE_BLOCK_BYTES = 4 * 1024;

/** A piece of the stream, in memory that has space for a header before it. */
interface Block {
  memory: Uint8Array;
  /** The offset in the stream of its first byte. */
  readonly base: number;
  used: number;
  /** How many bytes it can hold. The memory behind them belongs to the writer of the block. */
  capacity: number;
}

/**
 * Memory for frames that do not begin where a block begins: there is no space for a header before
 * their bytes.
 */
const scratch = new Uint8Array(BLOCK_BYTES);

/** The stream that this end sends, from the last acknowledged message to the last written byte. */
export class Outgoing {
  /** The offset up to which bytes were written. The end itself counts as one more byte. */
  written = 0;
  /** The offset up to which the peer has received. */
  acked = 0;
  /** The offset up to which bytes were sent on this carrier. */
  sent = 0;
  end: EndInfo | undefined;
  /** Memory for the writer. Chunks in this memory are kept without a copy. */
  readonly blocks: HeldBlocks = new HeldBlocks();

  /**
   * True if a PING is needed to get an ACK: bytes wait for credit, and the peer has received less
   * than the quarter of its window after which it sends ACK by itself.
   */
  waitsForAck = false;

  readonly #maxBytes: number;
  /** The offset up to which bytes were ever sent, on any carrier. */
  #maxSent = 0;
  /** The offset up to which the peer accepts bytes. */
  #limit = 0;
  readonly #blocks: Block[] = [];
  /** The index of the block to send from next. */
  #cursor = 0;
  readonly #boundaries = new Boundaries();

  /**
   * Keeps at most `maxBytes` bytes that are not acknowledged. If there is space, it also keeps the
   * start of the message in which these bytes begin.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The offset at which the stream is over, its end included; Infinity while it continues. */
  get total(): number {
    return this.end === undefined ? Infinity : this.written + 1;
  }

  /** Whether at least half of the bytes that may wait for an acknowledgment do so. */
  get isHalfFull(): boolean {
    return this.unacknowledgedBytes >= this.#maxBytes / 2;
  }

  /** How many bytes the peer has not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.written - Math.min(this.acked, this.written);
  }

  /**
   * Takes the start of a chunk; returns how many bytes it took, 0 when there is no space. A chunk
   * that fills most of a block is kept where it is; other chunks are copied. Without a carrier,
   * more bytes may wait.
   */
  write(chunk: Uint8Array, endsMessage: boolean, isDetached: boolean): number {
    const unsent = this.written - Math.min(this.sent, this.written);
    const space = Math.min(
      this.#maxBytes - this.unacknowledgedBytes,
      isDetached ? Infinity : MAX_UNSENT_BYTES - unsent,
    );
    const least = Math.min(chunk.length, this.blocks.bytes, Math.ceil(this.#maxBytes / 2));
    if (space < least) return 0;
    const bytes = Math.min(space, chunk.length);
    if (!this.#keep(chunk, bytes, endsMessage)) {
      for (let at = 0; at < bytes;) at += this.#append(chunk.subarray(at, bytes));
    }
    if (endsMessage && bytes === chunk.length) this.#boundaries.add(this.written);
    const oldest = this.#blocks.at(0);
    if (oldest !== undefined && this.written - this.#maxBytes >= oldest.base + oldest.used) {
      this.#release();
    }
    return bytes;
  }

  /**
   * Keeps the start of a chunk where it is, if it fills most of a block, or if it follows the last
   * kept bytes in memory. It is not kept if the block has only a part of a message, because the
   * rest would be a frame of its own.
   */
  #keep(chunk: Uint8Array, bytes: number, endsMessage: boolean): boolean {
    const last = this.#blocks.at(-1);
    if (last !== undefined && follows(last, chunk)) {
      last.used = last.capacity += bytes;
    } else if (
      endsMessage && bytes >= this.blocks.bytes * MIN_KEPT_SHARE && this.blocks.isBlock(chunk)
    ) {
      if (last !== undefined) this.#close(last);
      this.blocks.hold(chunk);
      const memory = new Uint8Array(chunk.buffer, HEADROOM);
      this.#blocks.push({ memory, base: this.written, used: bytes, capacity: bytes });
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
    let block = this.#blocks.at(-1);
    if (block === undefined || block.used === block.capacity) {
      const memory = this.#allocate(chunk.length);
      block = { memory, base: this.written, used: 0, capacity: memory.length };
      this.#blocks.push(block);
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

  /**
   * The next DATA or END frame, if there is one that the peer accepts. The caller copies it at
   * once, unless it holds it. With `onlyFull`, bytes that do not fill a frame wait for more.
   */
  next(onlyFull: boolean): Uint8Array | undefined {
    this.waitsForAck = false;
    if (this.sent >= this.written) return this.#nextEnd();
    let block = this.#blocks[this.#cursor];
    while (block.base + block.used <= this.sent) block = this.#blocks[++this.#cursor];
    const from = this.sent - block.base;
    const wanted = block.used - from;
    const bytes = Math.min(wanted, this.#limit - this.sent);
    if (bytes <= 0 || onlyFull && block.used < block.capacity) return undefined;
    if (bytes < Math.min(wanted, MIN_HELD_BYTES) && this.sent > this.acked) {
      // Little credit is not worth a frame while more credit is expected.
      this.waitsForAck = this.sent - this.acked < (this.#limit - this.acked) / 3;
      return undefined;
    }
    const frame = frameOf(block, from, bytes);
    writeDataHeader(frame, this.sent);
    this.sent += bytes;
    this.#maxSent = Math.max(this.#maxSent, this.sent);
    return frame;
  }

  /**
   * Holds a frame, so that it can be sent from its place without a copy; returns false if it cannot
   * be held. The caller releases it when it is written.
   */
  hold(frame: Uint8Array): boolean {
    if (frame.length < MIN_HELD_BYTES || !this.blocks.isFrame(frame)) return false;
    this.blocks.hold(frame);
    return true;
  }

  #nextEnd(): Uint8Array | undefined {
    if (this.end === undefined || this.sent > this.written) return undefined;
    this.sent = this.#maxSent = this.total;
    return encodeEnd(this.written, this.end);
  }

  /**
   * The peer has received bytes up to `received`, and accepts bytes up to `limit`.
   *
   * @throws {SessionProtocolError} when the received bytes were never sent.
   */
  acknowledge(received: number, limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    if (received > this.#maxSent) {
      throw new SessionProtocolError(
        `Cannot receive acknowledgment of byte ${received}: ${this.#maxSent} were sent`,
        SessionCode.ACKNOWLEDGED,
      );
    }
    if (received <= this.acked) return; // A later one came before it.
    this.acked = received;
    this.#release();
  }

  /**
   * Checks the offset from which a peer wants to continue.
   *
   * @throws {SessionProtocolError} when it has received what was never sent, or less than it once had.
   */
  checkResume(received: number): void {
    if (received >= this.acked && received <= this.#maxSent) return;
    const state = received < this.acked
      ? `${this.acked} were acknowledged before`
      : `${this.#maxSent} were sent`;
    throw new SessionProtocolError(
      `Cannot resume session at byte ${received}: ${state}`,
      SessionCode.ACKNOWLEDGED,
    );
  }

  /**
   * Begins a new carrier: all bytes after those that the peer has received are sent again.
   *
   * @throws {SessionProtocolError} when it has received what was never sent, or less than it once had.
   */
  resume(received: number, limit: number): void {
    this.checkResume(received);
    this.acknowledge(received, limit);
    this.sent = received;
    this.#cursor = 0;
  }

  /**
   * Releases acknowledged bytes, except for the start of a message that is not acknowledged as a
   * whole.
   */
  #release(): void {
    this.#boundaries.pass(this.acked);
    const keepFrom = Math.max(this.#boundaries.first, this.written - this.#maxBytes);
    for (let block; (block = this.#blocks[0]) !== undefined; this.#blocks.shift()) {
      if (block.base + block.used > keepFrom) break;
      this.blocks.recycle(block.memory);
      this.#cursor = Math.max(0, this.#cursor - 1);
    }
  }

  /**
   * The messages that are not acknowledged as a whole, as `framing` separates them. After this call
   * no bytes are kept.
   */
  takeUnacknowledged(framing: Framing, unwritten: Uint8Array): Uint8Array[] {
    const blocks = this.#blocks.splice(0);
    if (this.unacknowledgedBytes + unwritten.length === 0) return [];
    const from = this.#boundaries.after(blocks[0]?.base ?? this.written);
    if (from > this.written) return []; // Only the middle of one large message is left.
    const chunks = blocks
      .filter((block) => block.base + block.used > from)
      .map(({ memory, base, used }) => memory.subarray(Math.max(0, from - base), used));
    // The program may keep them for a long time, so they are not views of larger blocks.
    const decoder = framing.withLimit(Number.MAX_SAFE_INTEGER).decoder();
    const messages: Uint8Array[] = [];
    for (const chunk of [...chunks, unwritten]) decoder.decode(chunk.slice(), messages);
    let end = from;
    return messages.filter((message) => (end += framing.frameBytes(message)) > this.acked);
  }
}

/** Whether a chunk comes directly after the bytes of a block in the same memory. */
function follows({ memory, used }: Block, { buffer, byteOffset }: Uint8Array): boolean {
  return buffer === memory.buffer && byteOffset === memory.byteOffset + used;
}

/** A frame around bytes of a block. Only the start of a block has space for the header before it. */
function frameOf({ memory }: Block, from: number, bytes: number): Uint8Array {
  if (from === 0) {
    const start = memory.byteOffset - DATA_HEADER_BYTES;
    return new Uint8Array(memory.buffer, start, DATA_HEADER_BYTES + bytes);
  }
  scratch.set(memory.subarray(from, from + bytes), DATA_HEADER_BYTES);
  return scratch.subarray(0, DATA_HEADER_BYTES + bytes);
}
