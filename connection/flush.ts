/** Flushes connections once per turn of the event loop. */

import { setImmediate } from "node:timers";

interface Flushable {
  /** Writes what waits. Must not throw. */
  flush(): void;
}

let dirty: Flushable[] = [];

/**
 * Calls `flush()` when this turn of the event loop is over. Not in a microtask: those run between
 * two messages of one batch, and the replies would leave one by one.
 */
export function flushSoon(connection: Flushable): void {
  if (dirty.push(connection) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const connections = dirty;
  dirty = [];
  for (const connection of connections) connection.flush();
}
