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
