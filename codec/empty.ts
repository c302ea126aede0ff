/** The empty message. */

/** The only empty message. Without it, a chunk of empty frames would become thousands of arrays. */
export const EMPTY: Uint8Array = new Uint8Array(0);
