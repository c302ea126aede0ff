/**
 * Whether `client.ts` was bundled into a program.
 *
 * @module
 */

/** Tells of `client.ts` what `server.ts` in this folder tells of the server. */
export const isBundled: boolean = import.meta.main;
