/** Flushes connections once per turn of the event loop. */

import { clearImmediate, setImmediate } from "node:timers";

interface Flushable {
  /** Writes what is queued. Must not throw. */
  flush(): void;
  /** Whether it still waits for `flush()`. */
  readonly scheduled: boolean;
}

let dirty: Flushable[] = [];
let turnEnd: ReturnType<typeof setImmediate> | undefined;

/**
 * Calls `flush()` at the end of this turn of the event loop. A microtask would be too early: microtasks
 * run between two messages of one batch, so the replies would leave one by one.
 */
export function flushSoon(connection: Flushable): void {
  if (dirty.push(connection) === 1) turnEnd = setImmediate(flushAll);
}

/** Calls `flush()` now, instead of at the end of the turn. */
export function flushNow(connection: Flushable): void {
  if (dirty.length === 1 && dirty[0] === connection) {
    // No other connection waits, so the event loop need not run for the flush any more.
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
