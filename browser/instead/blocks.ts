/** The sizes of a session's frames, in a page. */

import { BLOCK_BYTES, type Memory } from "../../internal/memory.ts";

/** The longest frame of a session: with the header of any carrier, it is no longer than a block. */
export const LONGEST_SENT_BYTES: number = BLOCK_BYTES - 15;

/** The browser has the memory. */
export const RECEIVED: Memory | undefined = undefined;

/** A copy of a received chunk. */
export function copyOfReceived(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}
