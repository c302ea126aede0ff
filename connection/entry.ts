/** What an outbox is made of. */

import type { Memory } from "../internal/memory.ts";

/** Frames that are written together. Only the last entry of an outbox can grow. */
export interface Entry {
  /** Frames side by side, or the start of one large frame. */
  block: Uint8Array;
  used: number;
  /** What is written after the block: the rest of one large frame, which is not copied. */
  rest: Uint8Array[];
  messages: number;
  /** The block of a run, if `block` is a part of it: then only frames of the run can be added. */
  run: Uint8Array | undefined;
  /** Where the block goes back to after it was written; undefined if it goes nowhere. */
  memory: Memory | undefined;
}

/** Makes an entry for one message. */
export function newEntry(block: Uint8Array, memory: Memory): Entry {
  return { block, used: 0, rest: [], messages: 1, run: undefined, memory };
}

/** Where a frame at `start` in a block of a run is, seen from the last entry of an outbox. */
export function relationTo(
  last: Entry | undefined,
  run: Uint8Array,
  start: number,
  bytes: number,
): "follows" | "begins" | "elsewhere" {
  if (last === undefined) return "begins";
  if (last.run === undefined) return "elsewhere";
  const end = last.block.byteOffset + last.used;
  if (last.run === run && end === start) return "follows";
  const isNext = start === 0 && end + bytes > run.length;
  return isNext ? "begins" : "elsewhere";
}
