/**
 * When a busy socket waits, so that others have their turn.
 *
 * A read of a socket that has data, and a write to one that has room, complete at once, without the
 * event loop. While that goes on, nothing else in the process gets its turn. A read that does not fill
 * its memory has emptied the socket: the next one waits for the event loop, as those of the others do.
 */

/** How much one connection may read and write at once before the others have their turn, in bytes. */
export const TURN_BYTES: number = 32 * 1024;
/** A connection that has waited less long ago goes on. In milliseconds. */
export const TURN_TIME = 1;

const NOTHING = new Uint8Array(0);
let turn: Promise<unknown> | undefined;

/**
 * Resolves when the other sockets were looked at. One promise for all who wait.
 *
 * Deno asks the system about sockets when it has nothing else to do, or has done 61 other things. What
 * `setImmediate()` and `MessageChannel` wait for is such a thing: measured beside a loop that works 0.5
 * ms for each read, a quiet socket waited 3.4 ms in nine of ten cases, as without any wait. A timer takes
 * 2 ms. When Deno waits for another thread, it has nothing else to do, and a digest of nothing is the
 * cheapest thing that one does: 0.6 ms, and 15 to 30 us until the busy socket goes on.
 */
export function nextTurn(): Promise<unknown> {
  return turn ??= crypto.subtle.digest("SHA-1", NOTHING).finally(() => turn = undefined);
}
