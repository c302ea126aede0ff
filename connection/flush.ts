/** Flushes connections once per turn of the event loop. */

import { clearImmediate, setImmediate } from "node:timers";

interface Flushable {
  /** Writes what waits. Must not throw. */
  flush(): void;
  /** Whether it still waits for that. */
  readonly scheduled: boolean;
}

let dirty: Flushable[] = [];
let turnEnd: ReturnType<typeof setImmediate> | undefined;

/**
 * Calls `flush()` when this turn of the event loop is over. Not in a microtask: those run between
 * two messages of one batch, and the replies would leave one by one.
 */
export function flushSoon(connection: Flushable): void {
  if (dirty.push(connection) === 1) turnEnd = setImmediate(flushAll);
}

/** Calls `flush()` now, for a connection that need not wait. */
export function flushNow(connection: Flushable): void {
  if (dirty.length === 1) {
    // Nobody else waits: the event loop need not make a turn for this.
    clearImmediate(turnEnd);
    dirty = [];
  }
  connection.flush();
}

function flushAll(): void {
  const connections = dirty;
  dirty = [];
  for (const connection of connections) if (connection.scheduled) connection.flush();
}
