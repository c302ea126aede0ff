/** Sends the results of handlers to the callers. */

import { ConnectionClosedError, MessageTooLargeError, RequestError } from "../errors.ts";
import { cancelled, describeError, wrongKind } from "./failures.ts";
import { ItemTarget, type Output } from "./output.ts";
import { drop, isAsyncIterable } from "./results.ts";
import { ItemWriter } from "./streams.ts";
import { encodeValue } from "./values.ts";
import { ANSWERING, encodeBare, encodeError, encodeWithValue, Type, type Window } from "./wire.ts";
import type { Work } from "./work.ts";

/** The settings for all replies to one peer. */
export interface ReplySettings {
  /** Whether the peer sees the details of what handlers throw. */
  readonly exposeErrors: boolean;
  /** Called with what handlers throw. Must not throw itself. */
  readonly onError: (error: unknown, method: string) => void;
}

/** Sends values, streams and errors, as fast as the peer reads them. */
export class Replies {
  readonly #output: Output;
  readonly #settings: ReplySettings;
  readonly #answered: (work: Work) => void;
  #isOver = false;

  /** `answered` is called once for each work, when nothing more will be sent for it. */
  constructor(output: Output, settings: ReplySettings, answered: (work: Work) => void) {
    this.#output = output;
    this.#settings = settings;
    this.#answered = answered;
  }

  /** Answers with the handler's result, if the caller has asked for that kind of result. */
  finish(work: Work, result: unknown): void {
    let isStream: boolean;
    try {
      isStream = isAsyncIterable(result);
    } catch (error) {
      return this.fail(work, error);
    }
    const { method, state, window } = work;
    if (isStream && window !== undefined) {
      this.#stream(work, window, result as AsyncIterable<unknown>);
      return;
    }
    if (isStream) drop(result as AsyncIterable<unknown>);
    if (state === "cancelled") this.fail(work, cancelled(method));
    else if (isStream) this.fail(work, wrongKind(method, "a stream"));
    else if (window !== undefined) this.fail(work, wrongKind(method, "one value"));
    else if (this.#output.full) this.#output.later(() => this.#respond(work, result));
    else this.#respond(work, result);
  }

  #respond(work: Work, result: unknown): void {
    if (this.#isOver) return this.#answered(work);
    try {
      const value = encodeValue(result, `result of ${work.method}`);
      this.#output.send(encodeWithValue(ANSWERING | Type.response, work.id, value));
    } catch (error) {
      return this.fail(work, this.#unsendable(work, error));
    }
    this.#answered(work);
  }

  async #stream(work: Work, window: Window, items: AsyncIterable<unknown>): Promise<void> {
    const { id, method } = work;
    const refused = (error: unknown) => this.#unsendable(work, error);
    const target = new ItemTarget(this.#output, ANSWERING | Type.item, id, method, refused);
    const writer = work.writer = new ItemWriter(target, window);
    if (work.isAborted) writer.stop();
    try {
      if (!await writer.run(items)) return this.fail(work, cancelled(method));
    } catch (error) {
      return this.fail(work, error);
    }
    if (!this.#isOver) this.#output.trySend(encodeBare(ANSWERING | Type.end, id));
    this.#answered(work);
  }

  /** The error for a result that cannot be sent: this end's mistake, or the connection has ended. */
  #unsendable(work: Work, error: unknown): RequestError {
    if (this.#isOver || error instanceof ConnectionClosedError) return cancelled(work.method);
    this.#settings.onError(error, work.method);
    const state = error instanceof MessageTooLargeError
      ? `its result has ${error.size} bytes, limit is ${error.limit} bytes`
      : "its result is not JSON";
    return new RequestError("invalid-result", `Cannot answer ${work.method}: ${state}`);
  }

  /** Answers with an error. If the caller has gone, the error is always `cancelled`. */
  fail(work: Work, error: unknown): void {
    if (this.#isOver) return this.#answered(work);
    if (this.#output.full) return this.#output.later(() => this.fail(work, error));
    const { id, method, state } = work;
    const { exposeErrors, onError } = this.#settings;
    const told = state === "cancelled" ? cancelled(method) : error;
    const { code, text, data } = describeError(told, method, exposeErrors, onError);
    work.failure = code;
    try {
      this.#output.send(encodeError(id, code, text, data));
    } catch (cause) {
      if (cause instanceof MessageTooLargeError) {
        onError(cause, method);
        this.#output.trySend(encodeError(id, "internal", "", undefined)); // Fits everywhere.
      }
    }
    this.#answered(work);
  }

  /** Nothing can be sent any more. */
  stop(): void {
    this.#isOver = true;
  }
}
