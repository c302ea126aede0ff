/** How large the chunks of a file are. */

import type { RequestConnection } from "../request.ts";

/** The largest chunk, in bytes. It limits how much is read ahead. */
export const MAX_CHUNK_BYTES: number = 1024 * 1024;
/** The size of the first chunks, in bytes: even a slow connection can move such a chunk in time. */
const FIRST_CHUNK_BYTES = 256 * 1024;
/** How many bytes an item has besides its content. */
const ITEM_COST = 64;
/** The speed is measured over so many bytes: more than can wait on the way. */
const PERIOD_BYTES = 8 * 1024 * 1024;
/** If they leave within so many milliseconds, chunks may be large. */
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

/** The largest chunk that this end of a peer's connection accepts, if that is known. */
export function rememberedLimit(peer: object): number {
  return limits.get(peer) ?? FIRST_CHUNK_BYTES;
}

/**
 * The size of chunks: large on a fast connection, because large chunks cost less; small on a slow
 * one, where a large chunk would look like a transfer that stands still.
 */
export class ChunkSize {
  /** How large the next chunk should be. */
  bytes: number;
  readonly #most: number;
  /** When this period began, in milliseconds. */
  #since: number;
  #left = 0;

  /** A chunk never has more than `most` bytes. The first one leaves now. */
  constructor(most: number, now: number) {
    this.#most = most;
    this.#since = now;
    this.bytes = Math.min(FIRST_CHUNK_BYTES, most);
  }

  /** Counts bytes that have left. */
  left(bytes: number, now: number): void {
    this.#left += bytes;
    const isFast = now - this.#since <= PERIOD_TIME;
    if (isFast && this.#left < PERIOD_BYTES) return;
    this.bytes = isFast ? this.#most : Math.min(FIRST_CHUNK_BYTES, this.#most);
    this.#left = 0;
    this.#since = now;
  }
}
