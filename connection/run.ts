/** Frames that go to many connections. */

import type { Framing } from "../codec.ts";
import { BLOCK_BYTES } from "../internal/memory.ts";

/** Larger frames would leave too much of a block unused. */
export const MAX_SHARED_BYTES: number = BLOCK_BYTES / 4;

/**
 * Frames for many connections of one framing, side by side in blocks. Copied there once, they are
 * written from there to everybody: what is in a block does not change any more.
 */
export class Run {
  /** The block of the latest frame. */
  block: Uint8Array = new Uint8Array(0);
  /** Where the latest frame is in it. */
  start = 0;
  #end = 0;
  #frame: Uint8Array | undefined;

  /** Adds a frame, if it is not the latest already. */
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
