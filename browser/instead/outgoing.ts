/** What a session of a page sends: chunks are kept as they came, and copied into each frame. */

import type { EndInfo, Framing } from "../../codec.ts";
import { SessionProtocolError } from "../../errors.ts";
import { BLOCK_BYTES } from "../../internal/memory.ts";
import { Boundaries } from "../../session/boundaries.ts";
import { SessionCode } from "../../session/codes.ts";
import { DATA_HEADER_BYTES, encodeEnd, writeDataHeader } from "../../session/wire.ts";
import { LONGEST_SENT_BYTES } from "./blocks.ts";

const MAX_UNSENT_BYTES = 2 * BLOCK_BYTES;
const MIN_HELD_BYTES = 16 * 1024;
const MAX_DATA_BYTES = LONGEST_SENT_BYTES - DATA_HEADER_BYTES;

/** A chunk, and the place of its first byte in the stream. */
interface Kept {
  readonly base: number;
  readonly chunk: Uint8Array;
}

/** As the whole of it, without memory that is used again. */
export class Outgoing {
  written = 0;
  acked = 0;
  sent = 0;
  end: EndInfo | undefined;
  waitsForAck = false;
  readonly blocks: undefined;

  readonly #maxBytes: number;
  #maxSent = 0;
  #limit = 0;
  readonly #kept: Kept[] = [];
  /** The chunk from which is sent. */
  #cursor = 0;
  readonly #boundaries = new Boundaries();

  /** Keeps up to so many bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What the peer acknowledges at last: all bytes, and the end. */
  get total(): number {
    return this.end === undefined ? Infinity : this.written + 1;
  }

  /** Whether half of what may wait does. */
  get isHalfFull(): boolean {
    return this.unacknowledgedBytes >= this.#maxBytes / 2;
  }

  /** How many bytes wait for their acknowledgment. */
  get unacknowledgedBytes(): number {
    return this.written - Math.min(this.acked, this.written);
  }

  /** Keeps a chunk, which belongs to the session from now on. Returns how many bytes there was space for. */
  write(chunk: Uint8Array, endsMessage: boolean, isDetached: boolean): number {
    const unsent = this.written - Math.min(this.sent, this.written);
    const space = Math.min(
      this.#maxBytes - this.unacknowledgedBytes,
      isDetached ? Infinity : MAX_UNSENT_BYTES - unsent,
    );
    if (space < Math.min(chunk.length, MAX_DATA_BYTES, Math.ceil(this.#maxBytes / 2))) return 0;
    const bytes = Math.min(space, chunk.length);
    this.#kept.push({ base: this.written, chunk: chunk.subarray(0, bytes) });
    this.written += bytes;
    if (endsMessage && bytes === chunk.length) this.#boundaries.add(this.written);
    this.#release();
    return bytes;
  }

  /** The next DATA or END frame, if there is one that the peer accepts. */
  next(onlyFull: boolean): Uint8Array | undefined {
    this.waitsForAck = false;
    if (this.sent >= this.written) return this.#nextEnd();
    const wanted = Math.min(MAX_DATA_BYTES, this.written - this.sent);
    const bytes = Math.min(wanted, this.#limit - this.sent);
    if (bytes <= 0 || onlyFull && wanted < MAX_DATA_BYTES) return undefined;
    if (bytes < Math.min(wanted, MIN_HELD_BYTES) && this.sent > this.acked) {
      this.waitsForAck = this.sent - this.acked < (this.#limit - this.acked) / 3;
      return undefined;
    }
    return this.#data(new Uint8Array(DATA_HEADER_BYTES + bytes));
  }

  #data(frame: Uint8Array): Uint8Array {
    writeDataHeader(frame, this.sent);
    for (let at = DATA_HEADER_BYTES; at < frame.length;) {
      const { base, chunk } = this.#kept[this.#cursor];
      const from = this.sent - base;
      if (from >= chunk.length) {
        this.#cursor++;
        continue;
      }
      const part = chunk.subarray(from, from + frame.length - at);
      frame.set(part, at);
      at += part.length;
      this.sent += part.length;
    }
    this.#maxSent = Math.max(this.#maxSent, this.sent);
    return frame;
  }

  #nextEnd(): Uint8Array | undefined {
    if (this.end === undefined || this.sent > this.written) return undefined;
    this.sent = this.#maxSent = this.total;
    return encodeEnd(this.written, this.end);
  }

  /** No frame is sent from its place. */
  hold(): boolean {
    return false;
  }

  /** The peer has received bytes up to `received`, and accepts bytes up to `limit`. */
  acknowledge(received: number, limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    if (received > this.#maxSent) throw this.#wrong(received);
    this.acked = Math.max(this.acked, received);
    this.#release();
  }

  /** Begins a new carrier: all bytes after those that the peer has received are sent again. */
  resume(received: number, limit: number): void {
    if (received < this.acked) throw this.#wrong(received);
    this.acknowledge(received, limit);
    this.sent = received;
    this.#cursor = 0;
  }

  /** Nobody resumes the session of a client. */
  checkResume(): void {}

  #wrong(received: number): SessionProtocolError {
    return new SessionProtocolError(
      `Cannot go on with session at byte ${received}: ${this.acked} were acknowledged, ` +
        `${this.#maxSent} were sent`,
      SessionCode.ACKNOWLEDGED,
    );
  }

  /** Drops what is acknowledged, except for the start of a message that is not acknowledged as a whole. */
  #release(): void {
    this.#boundaries.pass(this.acked);
    const keepFrom = Math.max(this.#boundaries.first, this.written - this.#maxBytes);
    let gone = 0;
    for (const { base, chunk } of this.#kept) {
      if (base + chunk.length > keepFrom) break;
      gone++;
    }
    if (gone === 0) return;
    this.#kept.splice(0, gone);
    this.#cursor = Math.max(0, this.#cursor - gone);
  }

  /** The messages that are not acknowledged as a whole. After this call no bytes are kept. */
  takeUnacknowledged(framing: Framing, unwritten: Uint8Array): Uint8Array[] {
    const kept = this.#kept.splice(0);
    const from = this.#boundaries.after(kept[0]?.base ?? this.written);
    const decoder = framing.withLimit(Number.MAX_SAFE_INTEGER).decoder();
    const messages: Uint8Array[] = [];
    for (const { base, chunk } of [...kept, { base: this.written, chunk: unwritten }]) {
      decoder.decode(chunk.slice(Math.max(0, from - base)), messages);
    }
    let end = from;
    return messages.filter((message) => (end += framing.frameBytes(message)) > this.acked);
  }
}
