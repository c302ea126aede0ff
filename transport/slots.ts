/** Small memory in which idle connections wait for their next bytes. */

/** The size of a slot. A message below this size comes in one read. */
export const SLOT_BYTES: number = 256;
const SLOTS_PER_BLOCK = 256;

/** Slots that nobody uses. */
const free: Uint8Array[] = [];

/**
 * A pending read occupies its memory. So an idle connection waits with a slot, and what arrives is
 * copied out of it at once: a slot is never handed on. Slots lie side by side in blocks, because an
 * `ArrayBuffer` for each connection would weigh as much again. There are as many as there were
 * connections at a time at most.
 */
export function takeSlot(): Uint8Array {
  if (free.length === 0) {
    const block = new ArrayBuffer(SLOTS_PER_BLOCK * SLOT_BYTES);
    for (let n = 0; n < SLOTS_PER_BLOCK; n++) {
      free.push(new Uint8Array(block, n * SLOT_BYTES, SLOT_BYTES));
    }
  }
  return free.pop()!;
}

/** Gives a slot back. No read into it may be under way. */
export function recycleSlot(slot: Uint8Array): void {
  free.push(slot);
}

/** As many chunks as are copied side by side into one block. */
const COPIES_BYTES = 16 * 1024;
let copies = new Uint8Array(0);
let copied = 0;

/** The first bytes of a slot as a chunk, which belongs to the caller. */
export function copyOf(slot: Uint8Array, bytes: number): Uint8Array {
  if (bytes > copies.length - copied) {
    copies = new Uint8Array(COPIES_BYTES);
    copied = 0;
  }
  const chunk = copies.subarray(copied, copied += bytes);
  chunk.set(bytes === slot.length ? slot : slot.subarray(0, bytes));
  return chunk;
}
