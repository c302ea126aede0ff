/** What a handler gave. */

/** Whether it comes later. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise ||
    typeof value === "object" && value !== null && "then" in value &&
      typeof value.then === "function";
}

/** Whether it is a stream. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** A stream that nobody wants is told so. */
export function drop(items: AsyncIterable<unknown>): void {
  // What it throws is about an end that everybody knows already.
  Promise.try(() => items[Symbol.asyncIterator]().return?.()).catch(() => {});
}
