/**
 * When a busy socket waits, so that others have their turn. While a socket always has data, its reads
 * complete at once. Then the event loop does not turn, and nothing else in the process gets its turn.
 */

/** How much one connection may read before the others have their turn, in bytes. */
export const TURN_BYTES: number = 32 * 1024;
/** A read counts for so many bytes in addition to its own. */
export const READ_COST = 1024;
/** A connection that has not read for so long, in milliseconds, goes on. */
export const TURN_TIME = 0.5;

const NOTHING = new Uint8Array(0);
let turn: Promise<unknown> | undefined;

/**
 * Resolves when the other sockets were looked at. One promise for all who wait. While something waits
 * for `setImmediate()`, Deno looks at them in every 61st turn only. It looks when it waits for another
 * thread, and this is the cheapest thing that one does.
 */
export function nextTurn(): Promise<unknown> {
  return turn ??= crypto.subtle.digest("SHA-1", NOTHING).finally(() => turn = undefined);
}
