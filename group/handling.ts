/** What a worker does with a request: it waits for its turn, and gives it back when all is done. */

import { drop, type Handler, isAsyncIterable, isThenable, wrongKind } from "../request/internal.ts";
import type { Remembered } from "./remembered.ts";
import type { Turns } from "./turns.ts";

/** What all handlers of a worker share. */
export interface HandlingParts {
  readonly turns: Turns;
  readonly remembered: Remembered;
  /** A request is done. */
  answered(): void;
}

/** Makes a handler one that takes turns with all others, and that remembers what it answered. */
export function inTurn(method: string, handler: Handler, parts: HandlingParts): Handler {
  const { turns, remembered, answered } = parts;
  const end = () => {
    turns.end();
    answered();
  };
  const run: Handler = (params, context) => {
    let result: unknown;
    try {
      result = handler(params, context);
    } catch (error) {
      end();
      throw error;
    }
    if (!isThenable(result)) return held(result, end);
    return result.then((value) => held(value, end), (error) => {
      end();
      throw error;
    });
  };
  const take: Handler = (params, context) => {
    if (turns.now(method)) return run(params, context);
    return turns.later(context.signal).then(() => run(params, context));
  };
  return (params, context) => {
    const { key, signal } = context.key === undefined ? NO_KEY : context;
    if (key === undefined) return take(params, context);
    return remembered.answer(key, method, signal!, async () => {
      const result = await take(params, context);
      if (!isAsyncIterable(result)) return result;
      drop(result);
      throw wrongKind(method, "a stream");
    });
  };
}

/** The signal is made when it is read, so it is not read for nothing. */
const NO_KEY = { key: undefined, signal: undefined };

/** A value is given, and a stream keeps the turn until it ends. */
function held(result: unknown, end: () => void): unknown {
  if (isAsyncIterable(result)) return new Held(result, end);
  end();
  return result;
}

/** A stream that tells its end once. */
class Held implements AsyncIterable<unknown> {
  readonly #items: AsyncIterable<unknown>;
  #end: (() => void) | undefined;

  constructor(items: AsyncIterable<unknown>, end: () => void) {
    this.#items = items;
    this.#end = end;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    const iterator = this.#items[Symbol.asyncIterator]();
    return {
      next: async () => {
        try {
          const result = await iterator.next();
          if (result.done) this.#over();
          return result;
        } catch (error) {
          this.#over();
          throw error;
        }
      },
      return: async () => {
        try {
          await iterator.return?.();
        } finally {
          this.#over();
        }
        return { done: true, value: undefined };
      },
    };
  }

  #over(): void {
    this.#end?.();
    this.#end = undefined;
  }
}
