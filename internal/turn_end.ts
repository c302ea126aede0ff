/** The end of a turn of the event loop, as a promise. */

import { setImmediate } from "./runtime/immediate.ts";

let end: Promise<void> | undefined;

/** Resolves at the end of this turn of the event loop. One promise for all who wait. */
export function turnEnd(): Promise<void> {
  return end ??= new Promise((resolve) =>
    setImmediate(() => {
      end = undefined;
      resolve();
    })
  );
}
