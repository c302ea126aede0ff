/** One request of the peer. */

import { isMeant, ItemReader, type ItemWriter } from "./streams.ts";
import type { RequestContext, RequestPeer } from "./types.ts";
import type { Window } from "./wire.ts";

/** What a handler is. */
export type Handler = (params: unknown, context: RequestContext) => unknown;

/** A request from its arrival until it is answered and its items have ended; the handler's context. */
export class Work implements RequestContext {
  /** `cancelled` while the handler still runs and its caller has gone. */
  state: "queued" | "running" | "cancelled" | "answered" = "queued";
  /** Whether the caller may still send items. */
  hasItems = false;
  /** Sends the stream. */
  writer: ItemWriter | undefined;

  #controller: AbortController | undefined;
  #reason: { readonly error: unknown } | undefined;
  #items: ItemReader<unknown> | undefined;
  readonly #onGrant: (work: Work, credit: Window) => void;
  readonly #itemWindow: Window;

  constructor(
    readonly peer: RequestPeer,
    readonly id: number,
    readonly method: string,
    readonly params: unknown,
    /** The size of its message, which counts until the answer was sent. */
    readonly bytes: number,
    /** What the caller grants the stream that it wants. */
    public window: Window | undefined,
    itemWindow: Window,
    grant: (work: Work, credit: Window) => void,
  ) {
    this.#onGrant = grant;
    this.#itemWindow = itemWindow;
  }

  /** Made when it is looked at, since most handlers do not. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error);
    }
    return this.#controller.signal;
  }

  /** What the caller sends along. */
  get items(): ItemReader<unknown> {
    if (this.#items === undefined) {
      const window = this.#itemWindow;
      this.#items = new ItemReader(window, {
        begin: () => this.#onGrant(this, window),
        grant: (credit) => this.#onGrant(this, credit),
        stopped: () => {},
      });
      if (this.#reason !== undefined) this.#items.abort(this.#reason.error);
      else if (!this.hasItems) this.#items.end();
    }
    return this.#items;
  }

  /** Takes an item, or why it cannot be read; returns false where it has no credit. */
  put(value: unknown, bytes: number, error?: { readonly error: unknown }): boolean {
    return this.#items !== undefined && this.#items.put(value, bytes, error);
  }

  /** The caller's items are over. */
  endItems(error?: { readonly error: unknown }): void {
    this.hasItems = false;
    this.#items?.end(error);
  }

  /** Whether `abort()` was called. */
  get isAborted(): boolean {
    return this.#reason !== undefined;
  }

  /** The caller grants its stream more. Returns false where it has none, or for too much. */
  grant(credit: Window): boolean {
    if (this.window === undefined) return false;
    if (this.writer !== undefined) return this.writer.grant(credit);
    const { items, bytes } = this.window;
    this.window = { items: items + credit.items, bytes: bytes + credit.bytes };
    return isMeant(this.window);
  }

  /** Nobody waits for the answer any more. */
  abort(error: unknown): void {
    this.#reason ??= { error };
    this.#items?.abort(error);
    this.writer?.stop();
    this.#controller?.abort(error);
  }

  /** What the handler does not need any more, also if it keeps its context. */
  release(): void {
    this.#items?.return();
    this.writer?.stop();
  }
}
