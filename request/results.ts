/** Kinds of results of handlers. */

import { attempt } from "../internal/handled.ts";

/** Whether a result is a promise. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise ||
    typeof value === "object" && value !== null && "then" in value &&
      typeof value.then === "function";
}

/** Whether a result is a stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Ends a stream that nobody wants. */
export function drop(items: AsyncIterable<unknown>): void {
  // Errors of return() are ignored: nobody waits for the stream.
  attempt(() => items[Symbol.asyncIterator]().return?.()).catch(() => {});
}
