/** The bytes that a session has received: in order, each once, within the window. */

import { Deque } from "@std/data-structures";
import type { EndInfo } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";

/** Smaller pieces are copied into one. */
const MIN_APART_BYTES = 8 * 1024;
/** A view keeps the whole memory behind it, so it must fill at least this share of it. */
const MIN_VIEW_SHARE = 1 / 2;

/** The stream that the peer sends, from the last read byte to the last received byte. */
export class Incoming {
  /** The offset up to which bytes were received. The end itself counts as one more byte. */
  received = 0;
  /** What the peer said about its end. */
  ended: EndInfo | undefined;

  readonly #window: number;
  /** The offset up to which bytes were read. */
  #read = 0;
  /** The limit that the peer was told last. */
  #toldLimit = 0;
  /** The received offset that the peer was told last. */
  #toldReceived = 0;
  readonly #chunks = new Deque<Uint8Array>();
  /** The memory of the last chunk, if it has space for more. */
  #tail: Uint8Array | undefined;

  /** Accepts `window` bytes more than were read. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Whether the stream has ended and all of it was read. */
  get isOver(): boolean {
    return this.ended !== undefined && this.#chunks.isEmpty();
  }

  /** The offset up to which the peer may send. */
  get limit(): number {
    return this.#read + this.#window;
  }

  /** Whether the peer was told about all received bytes. */
  get isAcknowledged(): boolean {
    return this.received === this.#toldReceived;
  }

  /** Whether there is anything to tell the peer. */
  get isNews(): boolean {
    return !this.isAcknowledged || this.limit > this.#toldLimit;
  }

  /** Whether there is so much to tell that the peer should be told now. */
  get isMuchNews(): boolean {
    const much = this.#window / 4;
    return this.received - this.#toldReceived >= much || this.limit - this.#toldLimit >= much ||
      this.ended !== undefined && this.received > this.#toldReceived;
  }

  /** The peer is being told `received` and `limit`. */
  tell(): void {
    this.#toldReceived = this.received;
    this.#toldLimit = this.limit;
  }

  /**
   * Takes bytes at their offset in the stream. Bytes that were received before are skipped.
   *
   * @throws {SessionProtocolError} for a gap, no bytes, bytes after the end or beyond the limit.
   */
  data(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) {
      throw new SessionProtocolError(
        "Cannot receive session frame: it has no bytes of the stream",
        SessionCode.MALFORMED,
      );
    }
    this.#checkGap(offset);
    const end = offset + bytes.length;
    if (this.ended !== undefined && end > this.received - 1) {
      throw new SessionProtocolError(
        `Cannot receive byte ${end} of session: it ended after ${this.received - 1}`,
        SessionCode.ENDED,
      );
    }
    if (end > this.#toldLimit) {
      throw new SessionProtocolError(
        `Cannot receive byte ${end} of session: limit is ${this.#toldLimit}`,
        SessionCode.CREDIT,
      );
    }
    if (end <= this.received) return;
    this.#push(offset === this.received ? bytes : bytes.subarray(this.received - offset));
    this.received = end;
  }

  /**
   * The stream ends at `offset`.
   *
   * @throws {SessionProtocolError} for a gap, or when it ends somewhere else already.
   */
  end(offset: number, info: EndInfo): void {
    this.#checkGap(offset);
    if (this.ended === undefined && offset === this.received) {
      this.ended = info;
      this.received++;
    } else if (this.ended === undefined || offset !== this.received - 1) {
      throw new SessionProtocolError(
        `Cannot end session at byte ${offset}: it went on to ${this.received}`,
        SessionCode.ENDED,
      );
    }
  }

  /** The next chunk. It belongs to the reader from now on. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks.popFront();
    if (chunk === undefined) return undefined;
    if (this.#chunks.isEmpty()) this.#tail = undefined;
    this.#read += chunk.length;
    return chunk;
  }

  #checkGap(offset: number): void {
    if (offset > this.received) {
      throw new SessionProtocolError(
        `Cannot receive byte ${offset} of session: ${this.received} were received before`,
        SessionCode.GAP,
      );
    }
  }

  /**
   * Adds a chunk. The first chunk may be on its way to a reader; small chunks behind it are put
   * together.
   */
  #push(bytes: Uint8Array): void {
    if (this.#chunks.isEmpty() || bytes.length >= MIN_APART_BYTES) {
      const isWorth = bytes.length >= MIN_VIEW_SHARE * bytes.buffer.byteLength;
      this.#tail = undefined;
      this.#chunks.pushBack(isWorth || this.#chunks.isEmpty() ? bytes : bytes.slice());
      return;
    }
    const last = this.#chunks.peekBack()!;
    const space = this.#tail === undefined ? 0 : this.#tail.length - last.length;
    if (this.#tail !== undefined && space >= bytes.length) {
      this.#tail.set(bytes, last.length);
      this.#chunks.popBack();
      this.#chunks.pushBack(this.#tail.subarray(0, last.length + bytes.length));
      return;
    }
    this.#tail = new Uint8Array(2 * MIN_APART_BYTES);
    this.#tail.set(bytes);
    this.#chunks.pushBack(this.#tail.subarray(0, bytes.length));
  }
}
