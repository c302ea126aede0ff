/** How large the chunks of a file are. */

import type { RequestConnection } from "../request.ts";

/** A chunk is never larger, in bytes: what is read ahead is bounded by it. */
export const MAX_CHUNK_BYTES: number = 1024 * 1024;
/** How large chunks are at first, in bytes: a slow connection moves one in time. */
const FIRST_CHUNK_BYTES = 256 * 1024;
/** What an item takes beside its bytes. */
const ITEM_COST = 64;
/** Over how many bytes it is looked how fast they leave: more than may wait on the way. */
const PERIOD_BYTES = 8 * 1024 * 1024;
/** In how many milliseconds they leave where chunks may be large. */
const PERIOD_TIME = 800;

const limits = new WeakMap<object, number>();

/** The largest chunk that fits in a message of a connection, in bytes. */
export function chunkLimit({ framing }: RequestConnection): number {
  return Math.max(1, Math.min(MAX_CHUNK_BYTES, framing.maxMessageBytes - ITEM_COST));
}

/** Remembers the connection of a peer that has files. */
export function rememberLimit(peer: object, connection: RequestConnection): void {
  limits.set(peer, chunkLimit(connection));
}

/** The largest chunk that this end of a peer's connection takes, as far as that is known. */
export function rememberedLimit(peer: object): number {
  return limits.get(peer) ?? FIRST_CHUNK_BYTES;
}

/** Chunks that are large where they move fast: large ones cost less, but slow ones seem to stand still. */
export class ChunkSize {
  /** How large the next chunk should be. */
  bytes: number;
  readonly #most: number;
  /** Since when the bytes of this period leave, in milliseconds. */
  #since: number;
  #left = 0;

  /** Never more than `most` bytes; the first one leaves now. */
  constructor(most: number, now: number) {
    this.#most = most;
    this.#since = now;
    this.bytes = Math.min(FIRST_CHUNK_BYTES, most);
  }

  /** So many bytes have left. */
  left(bytes: number, now: number): void {
    this.#left += bytes;
    const isFast = now - this.#since <= PERIOD_TIME;
    if (isFast && this.#left < PERIOD_BYTES) return;
    this.bytes = isFast ? this.#most : Math.min(FIRST_CHUNK_BYTES, this.#most);
    this.#left = 0;
    this.#since = now;
  }
}
