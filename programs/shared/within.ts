/** Waiting that leaves no timer behind. */

import { delay } from "@std/async/delay";

/** Waits until a promise is settled, and no longer than so many milliseconds. */
export async function within(wait: number, promise: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const late = delay(wait, { signal: over.signal });
  await Promise.race([late, Promise.allSettled([promise])]);
  over.abort();
  await Promise.allSettled([late]);
}
