/** Messages to a room that leave together: a broker's work is by message, and hardly by byte. */

import { setImmediate } from "../internal/runtime/immediate.ts";
import { isText, markText } from "../internal/text_mark.ts";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../internal/varint.ts";

const FIRST_BYTES = 1024;
/** Lengths have at most so many bytes. */
const MAX_VARINT_BYTES = 8;

/**
 * Messages side by side: for each a varint with twice its length, and one more for a text, and then its
 * bytes.
 */
export class Pack {
  /** How many messages there are. */
  count = 0;
  #memory = new Uint8Array(FIRST_BYTES);
  #used = 0;

  /** What was put in so far. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#used);
  }

  /** Copies a message, if all together have at most so many bytes then. */
  add(message: Uint8Array, maxBytes: number): boolean {
    const head = message.length * 2 + (isText(message) ? 1 : 0);
    const end = this.#used + varintBytes(head) + message.length;
    if (end > maxBytes) return false;
    if (end > this.#memory.length) {
      const larger = new Uint8Array(Math.max(end, this.#memory.length * 2));
      larger.set(this.bytes);
      this.#memory = larger;
    }
    this.#memory.set(message, writeVarint(head, this.#memory, this.#used));
    this.#used = end;
    this.count++;
    return true;
  }
}

/** The messages of a pack, as views; undefined if it is none. Texts are marked. */
export function unpack(bytes: Uint8Array): Uint8Array[] | undefined {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = varintEnd(bytes, at, Math.min(bytes.length, at + MAX_VARINT_BYTES));
    const head = start < 0 ? Infinity : readVarint(bytes, at, start);
    at = start + Math.floor(head / 2);
    if (at > bytes.length) return undefined;
    const message = bytes.subarray(start, at);
    messages.push(head % 2 === 1 ? markText(message) : message);
  }
  return messages;
}

/**
 * The first message after a quiet turn of the event loop leaves at once. What comes until the end of the
 * turn leaves then, each room's messages in one pack.
 */
export class Packs {
  readonly #publish: (room: string, pack: Pack) => void;
  readonly #waiting = new Map<string, Pack>();
  #isBusy = false;

  constructor(publish: (room: string, pack: Pack) => void) {
    this.#publish = publish;
  }

  /** Takes a message, if it must wait for others and is not too large for them. */
  takes(room: string, message: Uint8Array, maxBytes: number): boolean {
    if (!this.#isBusy) {
      this.#isBusy = true;
      setImmediate(() => this.#turnEnds());
      return false;
    }
    if (this.#waiting.get(room)?.add(message, maxBytes)) return true;
    this.flush(room);
    const pack = new Pack();
    if (!pack.add(message, maxBytes)) return false;
    this.#waiting.set(room, pack);
    return true;
  }

  /** Publishes what waits for a room. */
  flush(room: string): void {
    const pack = this.#waiting.get(room);
    if (pack === undefined) return;
    this.#waiting.delete(room);
    this.#publish(room, pack);
  }

  /** Publishes what waits. */
  flushAll(): void {
    for (const room of this.#waiting.keys()) this.flush(room);
  }

  #turnEnds(): void {
    this.#isBusy = this.#waiting.size > 0;
    if (!this.#isBusy) return;
    this.flushAll();
    setImmediate(() => this.#turnEnds());
  }
}
