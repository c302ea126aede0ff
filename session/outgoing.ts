/** What a session has to send: bytes kept until the peer acknowledges them. */

import type { EndInfo, Framing } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";
import { HEADROOM, HeldBlocks } from "./blocks.ts";
import { Boundaries } from "./boundaries.ts";
import { SessionCode } from "./codes.ts";
import { DATA_HEADER_BYTES, encodeEnd, writeDataHeader } from "./wire.ts";

/** Bytes that wait while there is a carrier: enough to fill frames, and no more. */
const MAX_UNSENT_BYTES = 2 * BLOCK_BYTES;
/** Smaller frames are copied, so that they leave with others. */
const MIN_HELD_BYTES = 16 * 1024;
/** A chunk keeps all of its block: it must be worth that. */
const MIN_KEPT_SHARE = 3 / 4;
const SMALL_BLOCK_BYTES = 512;
const MIDDLE_BLOCK_BYTES = 4 * 1024;

/** A piece of the stream, in memory with room before it for headers. */
interface Block {
  memory: Uint8Array;
  /** Where in the stream its first byte is. */
  readonly base: number;
  used: number;
  /** Where it is full. Whoever wrote it goes on with what is behind that. */
  capacity: number;
}

/** Where frames are put together that do not begin with a block: without room before them. */
const scratch = new Uint8Array(BLOCK_BYTES);

/** One direction's stream, from the last acknowledged message to what was written last. */
export class Outgoing {
  /** Where the stream ends by now; the end itself counts as one byte more. */
  written = 0;
  /** Up to where the peer has received. */
  acked = 0;
  /** Up to where it was sent on this carrier. */
  sent = 0;
  end: EndInfo | undefined;
  /** Memory for what is written: chunks of it are kept as they are. */
  readonly blocks: HeldBlocks = new HeldBlocks();

  /** Whether bytes wait for an acknowledgment that the peer, at a quarter of its window, may not send. */
  waitsForAck = false;

  readonly #maxBytes: number;
  /** Up to where it was ever sent. */
  #maxSent = 0;
  /** Up to where the peer takes bytes. */
  #limit = 0;
  readonly #blocks: Block[] = [];
  /** The block that is to be sent from next. */
  #cursor = 0;
  readonly #boundaries = new Boundaries();

  /**
   * Keeps at most `maxBytes` that are not acknowledged, with the start of the message in which they
   * begin, as far as that fits too.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Where the stream is over, its end included; Infinity while it goes on. */
  get total(): number {
    return this.end === undefined ? Infinity : this.written + 1;
  }

  /** Whether half of what may wait for acknowledgment does. */
  get isHalfFull(): boolean {
    return this.unacknowledgedBytes >= this.#maxBytes / 2;
  }

  /** Bytes that the peer is not known to have. */
  get unacknowledgedBytes(): number {
    return this.written - Math.min(this.acked, this.written);
  }

  /**
   * Takes the start of a chunk; returns how much, 0 when there is no room. Most of a block is kept
   * where it is, the rest is copied. Without a carrier, more may wait.
   */
  write(chunk: Uint8Array, endsMessage: boolean, isDetached: boolean): number {
    const unsent = this.written - Math.min(this.sent, this.written);
    const room = Math.min(
      this.#maxBytes - this.unacknowledgedBytes,
      isDetached ? Infinity : MAX_UNSENT_BYTES - unsent,
    );
    const least = Math.min(chunk.length, this.blocks.bytes, Math.ceil(this.#maxBytes / 2));
    if (room < least) return 0;
    const bytes = Math.min(room, chunk.length);
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
   * Keeps the start of a chunk where it is, if that is most of a block, or follows it there. Not where
   * only a part of a message is in the block: the rest would be a frame of its own.
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

  /** Nothing more is added to a block: what little there may be is not worth all of its memory. */
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

  /** Idle sessions are many: they keep little. */
  #allocate(wanted: number): Uint8Array {
    const kept = this.unacknowledgedBytes;
    if (wanted > MIDDLE_BLOCK_BYTES - HEADROOM || kept > BLOCK_BYTES) return this.blocks.take();
    const isSmall = kept === 0 && wanted <= SMALL_BLOCK_BYTES - HEADROOM;
    return new Uint8Array(isSmall ? SMALL_BLOCK_BYTES : MIDDLE_BLOCK_BYTES).subarray(HEADROOM);
  }

  /**
   * The next DATA or END frame, if there is one that the peer takes. It is to be copied at once, unless
   * it is held. With `onlyFull`, bytes that do not fill a frame wait for more.
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
      // Little credit is not worth a frame while more is to be expected.
      this.waitsForAck = this.sent - this.acked < (this.#limit - this.acked) / 3;
      return undefined;
    }
    const frame = frameOf(block, from, bytes);
    writeDataHeader(frame, this.sent);
    this.sent += bytes;
    this.#maxSent = Math.max(this.#maxSent, this.sent);
    return frame;
  }

  /** Whether a frame may be sent from where it is, by whoever holds it until it is written. */
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
   * The peer has received so much, and takes bytes up to `limit`.
   *
   * @throws {SessionProtocolError} when that was never sent.
   */
  acknowledge(received: number, limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    if (received > this.#maxSent) {
      throw new SessionProtocolError(
        `Cannot receive acknowledgment of byte ${received}: ${this.#maxSent} were sent`,
        SessionCode.ACKNOWLEDGED,
      );
    }
    if (received <= this.acked) return; // It was overtaken by a later one.
    this.acked = received;
    this.#release();
  }

  /**
   * Checks from where a peer wants to go on.
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
   * A new carrier: everything after what the peer has received is sent again.
   *
   * @throws {SessionProtocolError} when it has received what was never sent, or less than it once had.
   */
  resume(received: number, limit: number): void {
    this.checkResume(received);
    this.acknowledge(received, limit);
    this.sent = received;
    this.#cursor = 0;
  }

  /** Lets go of what is acknowledged, but for the start of a message that is not as a whole. */
  #release(): void {
    this.#boundaries.pass(this.acked);
    const keepFrom = Math.max(this.#boundaries.first, this.written - this.#maxBytes);
    for (let block; (block = this.#blocks[0]) !== undefined; this.#blocks.shift()) {
      if (block.base + block.used > keepFrom) break;
      this.blocks.recycle(block.memory);
      this.#cursor = Math.max(0, this.#cursor - 1);
    }
  }

  /** The messages that are not acknowledged as a whole, as `framing` cut them. Nothing is kept then. */
  takeUnacknowledged(framing: Framing, unwritten: Uint8Array): Uint8Array[] {
    const blocks = this.#blocks.splice(0);
    if (this.unacknowledgedBytes + unwritten.length === 0) return [];
    const from = this.#boundaries.after(blocks[0]?.base ?? this.written);
    if (from > this.written) return []; // It is the middle of one large message.
    const chunks = blocks
      .filter((block) => block.base + block.used > from)
      .map(({ memory, base, used }) => memory.subarray(Math.max(0, from - base), used));
    // Whoever gets them may keep them for long: they are not views of larger blocks.
    const decoder = framing.withLimit(Number.MAX_SAFE_INTEGER).decoder();
    const messages: Uint8Array[] = [];
    for (const chunk of [...chunks, unwritten]) decoder.decode(chunk.slice(), messages);
    let end = from;
    return messages.filter((message) => (end += framing.frameBytes(message)) > this.acked);
  }
}

/** Whether a chunk follows in its memory what a block has of it. */
function follows({ memory, used }: Block, { buffer, byteOffset }: Uint8Array): boolean {
  return buffer === memory.buffer && byteOffset === memory.byteOffset + used;
}

/** A frame around bytes of a block; a block's start has room for the header before it. */
function frameOf({ memory }: Block, from: number, bytes: number): Uint8Array {
  if (from === 0) {
    const start = memory.byteOffset - DATA_HEADER_BYTES;
    return new Uint8Array(memory.buffer, start, DATA_HEADER_BYTES + bytes);
  }
  scratch.set(memory.subarray(from, from + bytes), DATA_HEADER_BYTES);
  return scratch.subarray(0, DATA_HEADER_BYTES + bytes);
}
