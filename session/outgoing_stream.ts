/** The stream that a session sends: what was written, sent and acknowledged. */

import type { EndInfo, Framing } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";
import { type HeldBlocks, LONGEST_SENT_BYTES } from "./blocks.ts";
import { Boundaries } from "./boundaries.ts";
import { SessionCode } from "./codes.ts";
import { DATA_HEADER_BYTES, encodeEnd, writeDataHeader } from "./wire.ts";

/** How many bytes of the stream the longest DATA frame has. */
export const MAX_DATA_BYTES: number = LONGEST_SENT_BYTES - DATA_HEADER_BYTES;
/** Less credit than this is not worth a frame while more is expected. */
export const MIN_HELD_BYTES: number = 16 * 1024;
/** How many unsent bytes may wait while there is a carrier: enough to fill frames, and no more. */
const MAX_UNSENT_BYTES = 2 * BLOCK_BYTES;

/** A piece of the stream that is kept. */
export interface Piece {
  memory: Uint8Array;
  /** The offset in the stream of its first byte. */
  readonly base: number;
  /** How many bytes of the memory belong to it. */
  used: number;
}

/**
 * The stream that this end sends, from the last acknowledged message to the last written byte. Who
 * extends it says how the bytes are kept, and how they get into a frame.
 */
export abstract class OutgoingStream<Kept extends Piece = Piece> {
  /** The offset up to which bytes were written. The end itself counts as one more byte. */
  written = 0;
  /** The offset up to which the peer has received. */
  acked = 0;
  /** The offset up to which bytes were sent on this carrier. */
  sent = 0;
  end: EndInfo | undefined;
  /** Memory for the writer, if there is some. Chunks in this memory are kept without a copy. */
  abstract readonly blocks: HeldBlocks | undefined;

  /**
   * True if a PING is needed to get an ACK: bytes wait for credit, and the peer has received less
   * than the quarter of its window after which it sends ACK by itself.
   */
  waitsForAck = false;

  protected readonly kept: Kept[] = [];
  /** The index of the piece to send from next. */
  protected cursor = 0;

  readonly #maxBytes: number;
  /** The offset up to which bytes were ever sent, on any carrier. */
  #maxSent = 0;
  /** The offset up to which the peer accepts bytes. */
  #limit = 0;
  readonly #boundaries = new Boundaries();

  /**
   * Keeps at most `maxBytes` bytes that are not acknowledged. If there is space, it also keeps the
   * start of the message in which these bytes begin.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps so many bytes at the start of a chunk, and counts them in `written`. */
  protected abstract keep(chunk: Uint8Array, bytes: number, endsMessage: boolean): void;
  /** How many bytes the next frame would have; 0 if these do not fill a frame and `onlyFull` is set. */
  protected abstract wanted(onlyFull: boolean): number;
  /** A frame with the next bytes, without a header yet. */
  protected abstract frame(bytes: number): Uint8Array;

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
   * Takes the start of a chunk; returns how many bytes it took, 0 when there is no space. Without a
   * carrier, more bytes may wait.
   */
  write(chunk: Uint8Array, endsMessage: boolean, isDetached: boolean): number {
    const unsent = this.written - Math.min(this.sent, this.written);
    const space = Math.min(
      this.#maxBytes - this.unacknowledgedBytes,
      isDetached ? Infinity : MAX_UNSENT_BYTES - unsent,
    );
    const least = Math.min(chunk.length, MAX_DATA_BYTES, Math.ceil(this.#maxBytes / 2));
    if (space < least) return 0;
    const bytes = Math.min(space, chunk.length);
    this.keep(chunk, bytes, endsMessage);
    if (endsMessage && bytes === chunk.length) this.#boundaries.add(this.written);
    const oldest = this.kept.at(0);
    if (oldest !== undefined && this.written - this.#maxBytes >= oldest.base + oldest.used) {
      this.#release();
    }
    return bytes;
  }

  /**
   * The next DATA or END frame, if there is one that the peer accepts. The caller copies it at
   * once, unless it holds it. With `onlyFull`, bytes that do not fill a frame wait for more.
   */
  next(onlyFull: boolean): Uint8Array | undefined {
    this.waitsForAck = false;
    if (this.sent >= this.written) return this.#nextEnd();
    const wanted = this.wanted(onlyFull);
    const bytes = Math.min(wanted, this.#limit - this.sent);
    if (bytes <= 0) return undefined;
    if (bytes < Math.min(wanted, MIN_HELD_BYTES) && this.sent > this.acked) {
      // Little credit is not worth a frame while more credit is expected.
      this.waitsForAck = this.sent - this.acked < (this.#limit - this.acked) / 3;
      return undefined;
    }
    const frame = this.frame(bytes);
    writeDataHeader(frame, this.sent);
    this.sent += bytes;
    this.#maxSent = Math.max(this.#maxSent, this.sent);
    return frame;
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
    if (received > this.#maxSent) throw this.#wrong(received);
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
    if (received < this.acked || received > this.#maxSent) throw this.#wrong(received);
  }

  #wrong(received: number): SessionProtocolError {
    return new SessionProtocolError(
      `Cannot go on with session at byte ${received}: ${this.acked} were acknowledged, ` +
        `${this.#maxSent} were sent`,
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
    this.cursor = 0;
  }

  /**
   * Releases acknowledged bytes, except for the start of a message that is not acknowledged as a
   * whole.
   */
  #release(): void {
    this.#boundaries.pass(this.acked);
    const keepFrom = Math.max(this.#boundaries.first, this.written - this.#maxBytes);
    for (let piece; (piece = this.kept[0]) !== undefined; this.kept.shift()) {
      if (piece.base + piece.used > keepFrom) break;
      this.blocks?.recycle(piece.memory);
      this.cursor = Math.max(0, this.cursor - 1);
    }
  }

  /**
   * The messages that are not acknowledged as a whole, as `framing` separates them. After this call
   * no bytes are kept.
   */
  takeUnacknowledged(framing: Framing, unwritten: Uint8Array): Uint8Array[] {
    const { written } = this;
    const kept: Piece[] = this.kept.splice(0);
    kept.push({ memory: unwritten, base: written, used: unwritten.length });
    // Infinity if only the middle of one large message is left.
    const from = this.#boundaries.after(kept[0].base);
    const decoder = framing.withLimit(Number.MAX_SAFE_INTEGER).decoder();
    const messages: Uint8Array[] = [];
    for (const { memory, base, used } of kept) {
      // The program may keep them for a long time, so they are not views of larger blocks.
      decoder.decode(memory.slice(Math.max(0, from - base), used), messages);
    }
    let end = from;
    return messages.filter((message) => (end += framing.frameBytes(message)) > this.acked);
  }
}
