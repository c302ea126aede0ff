/** What a session has received: bytes in order, each once, within the window. */

import { Deque } from "@std/data-structures";
import type { EndInfo } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";

/** Smaller pieces are copied together. */
const MIN_APART_BYTES = 8 * 1024;
/** A view keeps all the memory that it lies in: it must be worth that. */
const MIN_VIEW_SHARE = 1 / 2;

/** The other direction's stream, from what was read to what was received last. */
export class Incoming {
  /** Up to where it was received; the end itself counts as one byte more. */
  received = 0;
  /** What the peer said about its end. */
  ended: EndInfo | undefined;

  readonly #window: number;
  /** Up to where it was read. */
  #read = 0;
  /** Up to where the peer was told that it may send. */
  #toldLimit = 0;
  /** Up to where the peer was told that it was received. */
  #toldReceived = 0;
  readonly #chunks = new Deque<Uint8Array>();
  /** The last chunk's memory, where it has room for more. */
  #tail: Uint8Array | undefined;

  /** Takes `window` bytes more than were read. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Whether everything that will ever come was read. */
  get isOver(): boolean {
    return this.ended !== undefined && this.#chunks.isEmpty();
  }

  /** Up to where the peer may send. */
  get limit(): number {
    return this.#read + this.#window;
  }

  /** Whether the peer was told of all that was received. */
  get isAcknowledged(): boolean {
    return this.received === this.#toldReceived;
  }

  /** Whether there is anything that the peer was not told. */
  get isNews(): boolean {
    return !this.isAcknowledged || this.limit > this.#toldLimit;
  }

  /** Whether it is so much that the peer should be told now. */
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
   * Takes bytes at their place in the stream; those that were received before are skipped.
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

  /** The next chunk, which is the reader's from now on. */
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

  /** The first chunk may be on its way to a reader; those that wait are packed. */
  #push(bytes: Uint8Array): void {
    if (this.#chunks.isEmpty() || bytes.length >= MIN_APART_BYTES) {
      const isWorth = bytes.length >= MIN_VIEW_SHARE * bytes.buffer.byteLength;
      this.#tail = undefined;
      this.#chunks.pushBack(isWorth || this.#chunks.isEmpty() ? bytes : bytes.slice());
      return;
    }
    const last = this.#chunks.peekBack()!;
    const room = this.#tail === undefined ? 0 : this.#tail.length - last.length;
    if (this.#tail !== undefined && room >= bytes.length) {
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
