/** The sizes of a session's frames, in a page. */

import { BLOCK_BYTES } from "../../internal/memory.ts";

/** The longest frame of a session: with the header of any carrier, it is no longer than a block. */
export const LONGEST_SENT_BYTES: number = BLOCK_BYTES - 15;
