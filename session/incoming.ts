/** The bytes that a session has received: in order, each once, within the window. */

import { Deque } from "@std/data-structures";
import type { EndInfo } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { copyOfReceived } from "./blocks.ts";
import { SessionCode } from "./codes.ts";

/** Smaller pieces behind others are copied into one. */
const MIN_APART_BYTES = 8 * 1024;

/** Memory into which the reader wants the next bytes, and how many are there already. */
interface Sink {
  readonly target: Uint8Array;
  used: number;
}

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
  /** Set while a reader waits that wants the next bytes in its own memory. */
  #sink: Sink | undefined;
  /** Whether a chunk stayed where it was received since the last `takeKept()`. */
  #isKept = false;

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

  /** Whether bytes were kept where they arrived since the last call. */
  takeKept(): boolean {
    const isKept = this.#isKept;
    this.#isKept = false;
    return isKept;
  }

  /**
   * The next chunk. It belongs to the reader from now on. With `target`, it is the start of that, and if
   * nothing was received, the next bytes are put there.
   */
  take(target?: Uint8Array): Uint8Array | undefined {
    const chunk = this.#sunk() ?? this.#next(target);
    if (chunk !== undefined) this.#read += chunk.length;
    else if (target !== undefined) this.#sink = { target, used: 0 };
    return chunk;
  }

  /** What was put into the reader's memory. */
  #sunk(): Uint8Array | undefined {
    const sink = this.#sink;
    if (sink === undefined || sink.used === 0) return undefined;
    this.#sink = undefined;
    return sink.target.subarray(0, sink.used);
  }

  /** The next chunk that waits, copied to the start of the target if there is one. */
  #next(target: Uint8Array | undefined): Uint8Array | undefined {
    const chunk = this.#chunks.popFront();
    if (this.#chunks.isEmpty()) this.#tail = undefined;
    if (chunk === undefined || target === undefined) return chunk;
    const rest = chunk.subarray(target.length);
    if (rest.length > 0) this.#chunks.pushFront(rest);
    const bytes = chunk.length - rest.length;
    target.set(chunk.subarray(0, bytes));
    return target.subarray(0, bytes);
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
   * Adds a chunk. A large one is copied, so that the memory of its frame can be used again. The first
   * small one may be on its way to a reader, and stays where it is; others behind it are put together.
   */
  #push(received: Uint8Array): void {
    const bytes = this.#sinkIn(received);
    if (bytes.length === 0) return;
    if (this.#chunks.isEmpty() || bytes.length >= MIN_APART_BYTES) {
      const isView = bytes.length < MIN_APART_BYTES;
      this.#isKept ||= isView;
      this.#tail = undefined;
      this.#chunks.pushBack(isView ? bytes : copyOfReceived(bytes));
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

  /** Puts the start of a chunk into the memory of the reader that waits. Returns the rest. */
  #sinkIn(bytes: Uint8Array): Uint8Array {
    const sink = this.#sink;
    if (sink === undefined || !this.#chunks.isEmpty()) return bytes;
    const taken = bytes.subarray(0, sink.target.length - sink.used);
    sink.target.set(taken, sink.used);
    sink.used += taken.length;
    return bytes.subarray(taken.length);
  }
}
