/** Memory in a page: nothing is used again, the browser sees to that. */

/** The size of a block. */
export const BLOCK_BYTES: number = 64 * 1024;
