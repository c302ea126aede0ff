/** One request of the peer. */

import type { Trace, TraceContext } from "../internal/telemetry.ts";
import { isMeant, ItemReader, type ItemWriter } from "./streams.ts";
import type { RequestContext, RequestPeer } from "./types.ts";
import type { Window } from "./wire.ts";

/** A handler of requests or notifications. */
export type Handler = (params: unknown, context: RequestContext) => unknown;

/** A request of the peer, until it is answered and its items have ended. Also the handler's context. */
export class Work implements RequestContext {
  /** `cancelled`: the caller has cancelled the request, and the handler still runs. */
  state: "queued" | "running" | "cancelled" | "answered" = "queued";
  /** Whether the caller may still send items. */
  hasItems = false;
  /** The trace context that the request has carried. */
  context: TraceContext | undefined;
  /** The key that the request has carried. */
  key: string | undefined;
  /** Traces the handler, if something traces. */
  trace: Trace | undefined;
  /** When the handler began, if its time is counted. */
  startedAt = 0;
  /** The code of the error with which it was answered. */
  failure: string | undefined;
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
    /** The size of its message. It counts against the allowance until the answer was sent. */
    readonly bytes: number,
    /** The caller's credit for the stream; undefined if it wants no stream. */
    public window: Window | undefined,
    itemWindow: Window,
    grant: (work: Work, credit: Window) => void,
  ) {
    this.#onGrant = grant;
    this.#itemWindow = itemWindow;
  }

  /** Created when it is read, because most handlers do not read it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error);
    }
    return this.#controller.signal;
  }

  /** The items that the caller sends along. */
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

  /**
   * The caller grants more credit. Returns false if it wants no stream, or the credit is not
   * plausible.
   */
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

  /** Drops what the handler needs no more, even if it keeps its context. */
  release(): void {
    this.#items?.return();
    this.writer?.stop();
  }
}
