/**
 * When a busy socket waits, so that others have their turn.
 *
 * A read of a socket that has data, and a write to one that has room, complete at once, without the
 * event loop. While that goes on, nothing else in the process gets its turn. Nobody is told whether a
 * read completed at once: a peer that is as fast as this end has always sent a little more, so that a
 * read that did not fill its memory says nothing about the next one.
 */

import { setImmediate } from "./runtime/immediate.ts";

/** How much one connection may read and write at once before the others have their turn, in bytes. */
export const TURN_BYTES: number = 32 * 1024;
/** A connection that has waited less long ago goes on. In milliseconds. */
export const TURN_TIME = 1;
/** The same for the only connection of a process: what is late is a timer, or who comes in. */
export const TURN_TIME_ALONE = 10;
/** So long after the system was asked for sure, it is asked for sure again. In milliseconds. */
const SURE_TIME = 5;
/** After so many turns of the event loop, Deno has asked the system about sockets, whatever it had to do. */
const SURE_TURNS = 61;

const NOTHING = new Uint8Array(0);
let turn: Promise<void> | undefined;
let sureAt = 0;

/**
 * Resolves when the other sockets were looked at. One promise for all who wait.
 *
 * Deno asks the system about sockets when it has nothing else to do, or has done 61 other things. What
 * `setImmediate()` and `MessageChannel` wait for is such a thing, and a timer that is due, too: a quiet
 * socket waited for 80 ms, while timers of 0 ms ended every 3 ms. When Deno waits for another thread, it
 * has nothing else to do, and a digest of nothing is the cheapest thing that one does: 15 to 30 us. It
 * begins when everything else of this turn was done, or it would be over before Deno waits.
 *
 * Where both threads share a core, or other programs have it, the digest is often done before Deno waits
 * all the same. So, from time to time, 61 things are done: 0.2 ms.
 */
export function nextTurn(): Promise<unknown> {
  return turn ??= passTurn().finally(() => turn = undefined);
}

async function passTurn(): Promise<void> {
  await loopTurn();
  if (performance.now() - sureAt < SURE_TIME) {
    await crypto.subtle.digest("SHA-1", NOTHING);
    return;
  }
  for (let turns = 0; turns < SURE_TURNS; turns++) await loopTurn();
  sureAt = performance.now();
}

/** One turn of the event loop, with or without a look at the sockets. */
function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Resolves when no connection waits for the others any more. Who closes waits for it, so that nothing
 * goes on after that.
 */
export async function turnOver(): Promise<void> {
  await turn;
}
