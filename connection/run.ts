/** Blocks of frames that are sent to many connections. */

import type { Framing } from "../codec.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";

/** A larger frame could leave too much of a block unused. */
export const MAX_SHARED_BYTES: number = BLOCK_BYTES / 4;

/**
 * Frames that are sent to many connections of one framing, side by side in blocks. A frame is
 * copied into a block once, and all connections write it from there. The used part of a block never
 * changes.
 */
export class Run {
  /** The block with the latest frame. */
  block: Uint8Array = new Uint8Array(0);
  /** Where the latest frame begins in the block. */
  start = 0;
  #end = 0;
  #frame: Uint8Array | undefined;

  /** Adds a frame, unless it is the latest one already. */
  put(frame: Uint8Array): void {
    if (frame === this.#frame) return;
    if (this.#end + frame.length > this.block.length) {
      this.block = new Uint8Array(BLOCK_BYTES);
      this.#end = 0;
    }
    this.block.set(frame, this.#end);
    this.start = this.#end;
    this.#end += frame.length;
    this.#frame = frame;
  }
}

const runs = new WeakMap<Framing, Run>();

/** The run of a framing. */
export function runOf(framing: Framing): Run {
  let run = runs.get(framing);
  if (run === undefined) runs.set(framing, run = new Run());
  return run;
}
