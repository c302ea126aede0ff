/**
 * When a busy socket waits, so that others have their turn.
 *
 * A read of a socket that has data, and a write to one that has room, complete at once, without the
 * event loop. While that goes on, nothing else in the process gets its turn. Nobody is told whether a
 * read completed at once: a peer that is as fast as this end has always sent a little more, so that a
 * read that did not fill its memory says nothing about the next one.
 */

import { turnEnd } from "./turn_end.ts";

/** How much one connection may read and write at once before the others have their turn, in bytes. */
export const TURN_BYTES: number = 32 * 1024;
/** When the others had their turn less long ago, a connection goes on. In milliseconds. */
const TURN_TIME = 1;
/** The same for the only connection of a process: what is late is a timer, or who comes in. */
const TURN_TIME_ALONE = 10;
/** So long after the system was asked for sure, it is asked for sure again. In milliseconds. */
const SURE_TIME = 5;
/** After so many turns of the event loop, Deno has asked the system about sockets, whatever it had to do. */
const SURE_TURNS = 61;

const NOTHING = new Uint8Array(0);
/** Busy connections that wait while others have their turn, by what lets them go on. */
const waiting: (() => void)[] = [];
let isPassing = false;
/** When sockets were last looked at, when that was last sure, and when somebody last asked for it. */
let turnedAt = 0;
let sureAt = 0;
let askedAt = 0;

/**
 * What a connection waits for that has read and written `TURN_BYTES`; undefined if it may go on, because the
 * others will not be too late when as much work has been done as since the last time that anyone asked.
 *
 * @param isAlone Whether there is no other connection.
 */
export function turnOfOthers(isAlone: boolean): Promise<void> | undefined {
  if (isPassing) return nextTurn();
  const now = performance.now();
  const worked = now - askedAt;
  askedAt = now;
  const isTime = now - turnedAt + worked >= (isAlone ? TURN_TIME_ALONE : TURN_TIME);
  return isTime ? nextTurn() : undefined;
}

/**
 * Resolves when the other sockets were looked at, and those had their turn who began to wait before. These
 * go on one after the other, and sockets are looked at between them: a hundred that go on together would
 * keep the rest waiting as long as one that never waits.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (!isPassing) passTurns();
  });
}

async function passTurns(): Promise<void> {
  isPassing = true;
  await look();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    next();
    if (waiting.length === 0) break;
    await turnEnd();
    if (performance.now() - turnedAt >= TURN_TIME) await look();
  }
  isPassing = false;
}

/**
 * Makes Deno look at sockets.
 *
 * It asks the system about them when it has nothing else to do, or has done 61 other things. What
 * `setImmediate()` and `MessageChannel` wait for is such a thing, and a timer that is due, too: a quiet
 * socket waited for 80 ms, while timers of 0 ms ended every 3 ms. When Deno waits for another thread, it
 * has nothing else to do, and a digest of nothing is the cheapest thing that one does: 15 to 30 us. It
 * begins when everything else of this turn was done, or it would be over before Deno waits.
 *
 * Where both threads share a core, or other programs have it, the digest is often done before Deno waits
 * all the same. So, from time to time, 61 things are done: 0.2 ms.
 */
async function look(): Promise<void> {
  await turnEnd();
  if (performance.now() - sureAt < SURE_TIME) {
    await crypto.subtle.digest("SHA-1", NOTHING);
  } else {
    for (let turns = 0; turns < SURE_TURNS; turns++) await turnEnd();
    sureAt = performance.now();
  }
  turnedAt = askedAt = performance.now();
}

/** Resolves when those had their turn who wait now. Who closes waits for it, so that nothing goes on after that. */
export async function turnOver(): Promise<void> {
  if (isPassing) await nextTurn();
}
