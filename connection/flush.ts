/** When connections write what was sent: at once, or at the end of the turn of the event loop. */

import { clearImmediate, setImmediate } from "../internal/runtime/immediate.ts";

interface Flushable {
  /** Writes what is queued. Must not throw. */
  flush(): void;
  /** Whether it still waits for `flush()`. */
  readonly scheduled: boolean;
}

let quiet: Flushable[] = [];
let dirty: Flushable[] = [];
let turnEnd: unknown;

/** So many connections are flushed at once before the event loop must turn. */
const MAX_AT_ONCE = 32;
let atOnce = 0;

/**
 * Calls `flush()` as soon as the code that runs now waits for something. So what it sends before that
 * leaves in one write. Now and then it is called at the end of the turn instead: two ends in one process
 * could go on answering each other in microtasks, and nothing else would ever have its turn.
 */
export function flushAtOnce(connection: Flushable): void {
  if (atOnce === MAX_AT_ONCE) return flushSoon(connection);
  if (++atOnce === MAX_AT_ONCE) setImmediate(() => atOnce = 0);
  if (quiet.push(connection) === 1) queueMicrotask(flushQuiet);
}

function flushQuiet(): void {
  const connections = quiet;
  quiet = [];
  for (const connection of connections) if (connection.scheduled) connection.flush();
}

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
