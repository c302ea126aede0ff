/** The types of requests, and how one interface types both ends. */

import type { Telemetry } from "../internal/telemetry.ts";
import type { RequestTotals } from "./totals.ts";
import type { CloseInfo, CloseOptions, Connection } from "../connection.ts";

/**
 * What requests need of a connection. It must give whole messages, in order and each once. When its
 * `send()` or `offer()` returns, a message of up to 64 KiB must have been copied.
 */
export type RequestConnection = Pick<
  Connection<Uint8Array>,
  "abort" | "batches" | "close" | "closed" | "framing" | "id" | "offer" | "remote" | "send"
>;

/** Any methods, for a peer whose interface is not known. */
// deno-lint-ignore no-explicit-any
export type AnyMethods = Record<string, (...args: any[]) => any>;

/** A method's params: the first argument. */
export type ParamsOf<Method> = Method extends (...args: infer Args) => unknown
  ? Args extends [] ? undefined : Args[0]
  : never;

/** The items that a method takes as its second argument. */
export type ItemsOf<Method> = Method extends (...args: infer Args) => unknown
  ? number extends Args["length"] ? unknown
  : Args extends [unknown, infer Items] ? Items extends AsyncIterable<infer Item> ? Item : never
  : never
  : never;

/** What a method gives. */
export type ResultOf<Method> = Method extends (...args: never[]) => infer Result ? Awaited<Result>
  : never;

/** The items that a method gives; `any` for a method of any type. */
export type StreamOf<Method> = 0 extends 1 & ResultOf<Method> ? ResultOf<Method>
  : ResultOf<Method> extends AsyncIterable<infer Item> ? Item
  : never;

/** Names of the methods that give a value. */
export type ValueMethods<Methods> =
  & string
  & {
    [Name in keyof Methods]: ResultOf<Methods[Name]> extends AsyncIterable<unknown> ? never : Name;
  }[keyof Methods];

/** Names of the methods that give a stream. */
export type StreamMethods<Methods> =
  & string
  & {
    [Name in keyof Methods]: ResultOf<Methods[Name]> extends AsyncIterable<unknown> ? Name : never;
  }[keyof Methods];

/** Options of `stream()`. */
export interface StreamOptions {
  /** When it is aborted, the request is cancelled and rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Items to send along. They are sent as fast as the peer reads them. */
  items?: AsyncIterable<unknown> | Iterable<unknown>;
}

/** Options of `request()`. */
export interface RequestCallOptions extends StreamOptions {
  /**
   * Time for the answer in milliseconds. It includes the time until the request is sent. After it the
   * request is cancelled, and rejects with a `RequestError` of code `timeout`.
   *
   * @default the `timeout` of `requests()`
   */
  timeout?: number;
}

/** Options, with `items` of the type that the method takes. */
export type WithItems<Options, Item> = [Item] extends [never] ? Omit<Options, "items">
  : Omit<Options, "items"> & { items: AsyncIterable<Item> | Iterable<Item> };

/** The arguments after a method's name: its params, if it has any, and options. */
export type CallArguments<Method, Options> = unknown extends ItemsOf<Method>
  ? [params?: ParamsOf<Method>, options?: Options]
  : [ItemsOf<Method>] extends [never]
    ? undefined extends ParamsOf<Method>
      ? [params?: ParamsOf<Method>, options?: WithItems<Options, never>]
    : [params: ParamsOf<Method>, options?: WithItems<Options, never>]
  : [params: ParamsOf<Method>, options: WithItems<Options, ItemsOf<Method>>];

/** The arguments after a method's name in a notification. */
export type NotifyArguments<Method> = undefined extends ParamsOf<Method>
  ? [params?: ParamsOf<Method>]
  : [params: ParamsOf<Method>];

/**
 * The peer of a connection. It answers requests, and may make requests itself. Made by `requests()`.
 *
 * - **Order.** Requests, notifications and items are sent in the order in which they were made. Only
 *   requests beyond the peer's limit, items without credit, and what is above 1 KiB before the peer's
 *   HELLO has come, are sent later. Notifications stay in order among themselves. Handlers start in the
 *   order in which requests arrive. An answer is sent when it is ready.
 * - **One answer each.** A request settles once. A request that is given up (by `signal`, `timeout` or
 *   `break`) rejects at once, and is cancelled at the peer. Its answer still comes, is dropped, and is
 *   counted in `stats.late`.
 * - **Streams** start with the first `next()`. The peer's generator runs ahead only as far as the
 *   window allows. `break` makes it return. A slow reader delays only its own stream.
 * - **The end.** When the connection ends, requests reject with a `ConnectionLostError` or
 *   `ConnectionClosedError`, whose `cause` is what the connection ended with. Streams reject in the
 *   same way, after the items that had come. The signals of running handlers are aborted. The same
 *   happens if only the peer ends, in order; but values that handlers still give are sent before
 *   the connection is closed.
 * - **Hostile peers.** An invalid message aborts the connection with a `ProtocolError`.
 */
export interface RequestPeer<Remote = AnyMethods> extends AsyncDisposable {
  /** The number of its connection, which is unique in this process. */
  readonly id: number;
  /** Resolves when the connection has ended; never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** How many requests and notifications there were so far. */
  readonly stats: RequestStats;
  /**
   * Asks for one value.
   *
   * @throws {RequestError} with which the peer answered; with code `timeout` if there is no answer
   * in time; with code `busy` if too many requests wait.
   * @throws {TypeError} if the name is above 255 bytes, or the params are not JSON.
   * @throws {RangeError} if the timeout is out of range.
   * @throws {MessageTooLargeError} if the params are larger than the peer accepts.
   * @throws {ConnectionLostError} {ConnectionClosedError} if there will be no answer.
   */
  request<Name extends ValueMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], RequestCallOptions>
  ): Promise<ResultOf<Remote[Name & keyof Remote]>>;
  /**
   * Asks for a stream. The request is sent at the first `next()`. The stream can be read once. Its
   * `next()` throws the errors of `request()`.
   */
  stream<Name extends StreamMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], StreamOptions>
  ): AsyncIterableIterator<StreamOf<Remote[Name & keyof Remote]>, undefined>;
  /**
   * Sends a notification, which is not answered. Only the peer knows whether it has a handler, and
   * whether the handler failed. Resolves when the next one may be sent. As with `send()`, it is
   * safe not to await the promise.
   *
   * @throws {TypeError} {MessageTooLargeError} {ConnectionLostError} {ConnectionClosedError} as
   * `request()`.
   * @throws {RequestError} with code `busy` if more than 1 MiB of them wait for the peer's HELLO.
   */
  notify<Name extends ValueMethods<Remote>>(
    method: Name,
    ...rest: NotifyArguments<Remote[Name & keyof Remote]>
  ): Promise<void>;
  /**
   * Closes the connection in order. Requests without an answer reject, and the signals of running
   * handlers are aborted. Resolves to the value of `closed`.
   */
  close(options?: CloseOptions): Promise<CloseInfo>;
}

/** What a handler gets in addition to the params. */
export interface RequestContext<Remote = AnyMethods, Item = unknown> {
  /** The peer that made the request. The handler may make requests to it. */
  readonly peer: RequestPeer<Remote>;
  /** Aborted when the caller cancels the request, or the connection ends. */
  readonly signal: AbortSignal;
  /**
   * The same when a repeatable request for a value to a group of workers is made again, and never that of
   * another request. Undefined for all other requests.
   */
  readonly key: string | undefined;
  /**
   * The items that the caller sends along; empty if there are none. They come as fast as they are
   * read.
   */
  readonly items: AsyncIterable<Item>;
}

/** The handlers, by the names of their methods. */
export type Handlers<Local, Remote = AnyMethods> = {
  readonly [Name in keyof Local]: (
    params: ParamsOf<Local[Name]>,
    context: RequestContext<Remote, ItemsOf<Local[Name]>>,
  ) => ResultOf<Local[Name]> | Promise<ResultOf<Local[Name]>>;
};

/** Options of `requests()`. */
export interface RequestOptions {
  /**
   * How many requests of each end may be without an answer; at least 16. Further requests of this
   * end wait in order. If the peer sends more than that, it gets the answer `busy`.
   *
   * @default 1_000
   */
  maxRequests?: number;
  /**
   * How many bytes the peer's requests without an answer may have together; at least 65_536. A single
   * request may be larger.
   *
   * @default 4_194_304
   */
  maxRequestBytes?: number;
  /**
   * How many handlers may run at a time. Further requests wait, in order.
   *
   * @default `maxRequests`
   */
  maxConcurrent?: number;
  /**
   * How many requests of this end may wait to be sent. Further requests are refused with `busy`.
   *
   * @default 10_000
   */
  maxWaiting?: number;
  /**
   * How many items of one stream may wait to be read at this end.
   *
   * @default 64
   */
  maxStreamItems?: number;
  /**
   * How many bytes of one stream may wait to be read at this end. The last item may exceed it.
   *
   * @default 262_144
   */
  maxStreamBytes?: number;
  /**
   * The time for each answer in milliseconds, or `Infinity`.
   *
   * @default Infinity
   */
  timeout?: number;
  /**
   * The time in which the peer must send its HELLO, in milliseconds. After that the connection is
   * aborted.
   *
   * @default 10_000
   */
  helloTimeout?: number;
  /**
   * Whether the peer gets the message of what a handler throws, and its stack as `data.stack`. For
   * development only.
   *
   * @default false
   */
  exposeErrors?: boolean;
  /**
   * Traces requests and handlers: what `telemetry()` of `./telemetry` gives. A request then carries a
   * trace context, if the peer understands it.
   *
   * @default nothing is traced
   */
  telemetry?: Telemetry;
  /**
   * Counts the requests of the peer, together with those of other connections.
   *
   * @default nothing is counted but `stats`
   */
  totals?: RequestTotals;
  /**
   * Called with errors of handlers that are not a `RequestError`, and with errors of sending their
   * results.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown, method: string) => void;
}

/** How many requests and notifications there were so far. */
export interface RequestStats {
  /** Requests of this end that were sent. */
  readonly sent: number;
  /** Requests of this end without an answer, including those that were given up. */
  readonly outstanding: number;
  /** Requests of this end that wait to be sent. */
  readonly waiting: number;
  /** Answers and items that were dropped, because their request had been given up. */
  readonly late: number;
  /** Requests of the peer. */
  readonly received: number;
  /** Requests of the peer that are not finished. */
  readonly handling: number;
  /** Requests of the peer that were refused, because there were more than this end allows. */
  readonly refused: number;
  /** Notifications of the peer. */
  readonly notifications: number;
  /** Notifications of the peer without a handler. */
  readonly unhandledNotifications: number;
}
