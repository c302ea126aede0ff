/** The peer's notifications. */

import type { MessageReader } from "./message_reader.ts";
import { drop, isAsyncIterable, isThenable } from "./results.ts";
import type { RequestPeer } from "./types.ts";
import { decodeValue } from "./values.ts";
import { type Handler, Work } from "./work.ts";

/** The settings for all notifications of one peer. */
export interface NoticeSettings {
  /** The handlers, by method. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** How many handlers of notifications may run before reading stops. */
  readonly most: number;
  /** Called with what handlers throw. Must not throw itself. */
  readonly onError: (error: unknown, method: string) => void;
}

const NO_ITEMS = { items: 1, bytes: 1 };
const NOTHING = () => {};

/** Calls the handlers of notifications. The peer never sees their results and errors. */
export class Notices {
  received = 0;
  unhandled = 0;

  readonly #peer: RequestPeer;
  readonly #settings: NoticeSettings;
  /** The notifications whose handlers run. */
  readonly #running = new Set<Work>();
  #calmed: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(peer: RequestPeer, settings: NoticeSettings) {
    this.#peer = peer;
    this.#settings = settings;
  }

  /** Whether so many handlers run that reading should stop. */
  get isFlooded(): boolean {
    return this.#running.size >= this.#settings.most;
  }

  /** Resolves when at most half of `most` handlers still run, or at the end. */
  calm(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#failure === undefined) this.#calmed = resolve;
      else resolve();
    });
  }

  /** Takes a NOTIFY. */
  take(reader: MessageReader): void {
    const { kind } = reader;
    const method = reader.shortText();
    const value = reader.value();
    const { handlers, onError } = this.#settings;
    this.received++;
    const handler = handlers.get(method);
    if (handler === undefined) {
      this.unhandled++;
      return;
    }
    try {
      const params = decodeValue(kind, value);
      const work = new Work(this.#peer, 0, method, params, 0, undefined, NO_ITEMS, NOTHING);
      const result = handler(params, work);
      if (isThenable(result)) this.#await(work, result);
      else if (isAsyncIterable(result)) drop(result);
    } catch (error) {
      onError(error, method);
    }
  }

  async #await(work: Work, result: PromiseLike<unknown>): Promise<void> {
    this.#running.add(work);
    try {
      await result;
    } catch (error) {
      if (!work.isAborted) this.#settings.onError(error, work.method);
    }
    this.#running.delete(work);
    if (this.#running.size * 2 <= this.#settings.most) this.#calmed?.();
  }

  /** The connection has ended. The signals of running handlers are aborted. */
  stop(error: unknown): void {
    this.#failure ??= { error };
    for (const work of this.#running) work.abort(error);
    this.#calmed?.();
  }
}
