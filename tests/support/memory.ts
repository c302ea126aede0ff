/** How much memory is in use for good. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the objects that are still referred to. */
export function liveBytes(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}
