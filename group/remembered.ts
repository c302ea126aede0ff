/** The answers to repeatable requests, so that none is done twice by the same worker. */

import { RequestError } from "../errors.ts";
import { encodeValue, Ready } from "../request/internal.ts";

/** What an answer has beside its value, in bytes. */
const ENTRY_BYTES = 256;
/** An answer above this share of all bytes is not remembered. */
const LARGEST_SHARE = 10;

/** An answer: a value that is encoded already, or an error. */
export type Answer = { readonly value: Ready } | { readonly error: RequestError };

/** A request that was given to this worker. */
interface Entry {
  /** Settles with its answer; to undefined if it is not to be remembered. */
  readonly answer: Promise<Answer | undefined>;
  bytes: number;
  /** When it may be forgotten; `Infinity` before it is answered. */
  until: number;
}

/** Remembers for a time, with limits. */
export class Remembered {
  /** How many requests came again, and were not done again. */
  used = 0;

  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #time: number;
  /** Those that are not answered, by key. */
  readonly #open = new Map<string, Entry>();
  /** Those that are, in the order of their answers. */
  readonly #answered = new Map<string, Entry>();
  #bytes = 0;

  /** Keeps an answer for `time` milliseconds. */
  constructor(maxEntries: number, maxBytes: number, time: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#time = time;
  }

  /** How many answers are remembered. */
  get size(): number {
    return this.#answered.size;
  }

  /**
   * Gives the answer to a request with this key, by `work` unless it was done before. What `work` gives
   * after the signal was aborted is no answer.
   */
  async answer(
    key: string,
    method: string,
    signal: AbortSignal,
    work: () => unknown,
  ): Promise<unknown> {
    this.#forget(performance.now());
    const before = this.#open.get(key) ?? this.#answered.get(key);
    const known = await before?.answer;
    if (known !== undefined) {
      this.used++;
      return take(known);
    }
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    const entry: Entry = { answer: promise, bytes: ENTRY_BYTES, until: Infinity };
    this.#open.set(key, entry);
    try {
      const result = await work();
      const value = readyResult(result, method);
      if (value === undefined) return result;
      this.#keep(key, entry, { value }, value.maxBytes, resolve);
      return value;
    } catch (error) {
      const answer = error instanceof RequestError
        ? error
        : new RequestError("internal", `Cannot answer ${method}: its handler failed`);
      // The caller's end is no answer, and neither is that it was not done: who asks again wants one.
      const isAnswer = !signal.aborted && answer.code !== "busy";
      if (isAnswer) this.#keep(key, entry, { error: answer }, 0, resolve);
      throw error;
    } finally {
      if (this.#open.get(key) === entry) this.#open.delete(key);
      resolve(undefined);
    }
  }

  #keep(
    key: string,
    entry: Entry,
    answer: Answer,
    bytes: number,
    resolve: (answer: Answer) => void,
  ): void {
    resolve(answer);
    entry.bytes += bytes;
    if (bytes > this.#maxBytes / LARGEST_SHARE) return;
    const now = performance.now();
    entry.until = now + this.#time;
    this.#answered.set(key, entry);
    this.#bytes += entry.bytes;
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, { until, bytes }] of this.#answered) {
      const isTooMuch = this.#answered.size > this.#maxEntries || this.#bytes > this.#maxBytes;
      if (until > now && !isTooMuch) return;
      this.#answered.delete(key);
      this.#bytes -= bytes;
    }
  }
}

/** The result as it is sent; undefined if it is not JSON, which the caller is told. */
function readyResult(result: unknown, method: string): Ready | undefined {
  try {
    return new Ready(encodeValue(result, `result of ${method}`));
  } catch {
    return undefined;
  }
}

function take(answer: Answer): Ready {
  if ("error" in answer) throw answer.error;
  return answer.value;
}
