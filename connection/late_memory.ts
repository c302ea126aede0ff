/** Memory for chunks that may be decoded anew. */

import type { Memory } from "../internal/memory.ts";

/**
 * Memory for a decoder whose chunks may be decoded anew: what the decoder gives back is free only when
 * the messages in it were taken. One for all connections, because a decoder gives back only while it is
 * called, and its caller then calls `settle()`.
 */
export class LateMemory implements Memory {
  /** Where the blocks come from, and go to in the end. */
  readonly memory: Memory;
  readonly bytes: number;
  #spent: Uint8Array[] = [];

  constructor(memory: Memory) {
    this.memory = memory;
    this.bytes = memory.bytes;
  }

  take(): Uint8Array {
    return this.memory.take();
  }

  recycle(chunk: Uint8Array): void {
    this.#spent.push(chunk);
  }

  /**
   * Gives back what the decoder gave back since the last call, if its messages were taken. Keeps
   * `chunk`, of which the end may not be decoded yet.
   */
  settle(isTaken: boolean, chunk?: Uint8Array): void {
    const spent = this.#spent;
    if (spent.length === 0) return;
    this.#spent = [];
    if (!isTaken) return; // The garbage collector takes them later.
    for (const block of spent) if (block.buffer !== chunk?.buffer) this.memory.recycle(block);
  }
}

const memories = new WeakMap<Memory, LateMemory>();

/** The late memory over another one. */
export function lateMemory(memory: Memory): LateMemory {
  let late = memories.get(memory);
  if (late === undefined) memories.set(memory, late = new LateMemory(memory));
  return late;
}
