/** The plain types around requests, and how one interface types both ends. */

import type { CloseInfo, CloseOptions, Connection } from "../connection.ts";

/**
 * What requests need of a connection: whole messages in order, each once, and `send()` and
 * `offer()` that have copied a message of up to 64 KiB when they return.
 */
export type RequestConnection = Pick<
  Connection<Uint8Array>,
  "abort" | "batches" | "close" | "closed" | "framing" | "offer" | "remote" | "send"
>;

/** Any methods, for peers whose interface is not known. */
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

/** The items that a method gives; of any method, any. */
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

/** What a stream is asked for with. */
export interface StreamOptions {
  /** Cancels the request; what waits for it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Items to send along, pulled by the peer's credit. */
  items?: AsyncIterable<unknown> | Iterable<unknown>;
}

/** What a request is made with. */
export interface RequestCallOptions extends StreamOptions {
  /**
   * Time for the answer in milliseconds, waiting for a place included; then the request is cancelled
   * and rejects with a `RequestError` of code `timeout`.
   *
   * @default the peer's `timeout`
   */
  timeout?: number;
}

/** Options, with the items that the method takes. */
export type WithItems<Options, Item> = [Item] extends [never] ? Omit<Options, "items">
  : Omit<Options, "items"> & { items: AsyncIterable<Item> | Iterable<Item> };

/** What follows a method's name: params where it has any, options where it needs them. */
export type CallArguments<Method, Options> = unknown extends ItemsOf<Method>
  ? [params?: ParamsOf<Method>, options?: Options]
  : [ItemsOf<Method>] extends [never]
    ? undefined extends ParamsOf<Method>
      ? [params?: ParamsOf<Method>, options?: WithItems<Options, never>]
    : [params: ParamsOf<Method>, options?: WithItems<Options, never>]
  : [params: ParamsOf<Method>, options: WithItems<Options, ItemsOf<Method>>];

/** What follows a method's name in a notification. */
export type NotifyArguments<Method> = undefined extends ParamsOf<Method>
  ? [params?: ParamsOf<Method>]
  : [params: ParamsOf<Method>];

/**
 * The other end of a connection, to ask and to be asked by. Made by `requests()`.
 *
 * - **Order.** Requests, notifications and items leave in the order in which they were made; requests
 *   that wait for a place, and items that wait for credit, leave later. Handlers start in the order of
 *   arrival, and answers come as they are ready.
 * - **One answer each.** A request settles once. One that is given up (`signal`, `timeout`, `break`)
 *   rejects at once and is cancelled at the peer; its answer, which still comes, is dropped and
 *   counted in `stats.late`.
 * - **Streams** begin with the first `next()`. The peer's generator runs ahead by what the window
 *   allows and no more; `break` makes it return. A slow reader holds up its own stream only.
 * - **The end.** When the connection ends, requests reject with a `ConnectionLostError` or
 *   `ConnectionClosedError` whose `cause` is what the connection ended with, streams likewise after
 *   the items that had come, and the signals of handlers that run are aborted. So they are when only
 *   the peer ends, in order; values that its handlers still give are sent, then the connection is
 *   closed.
 * - **Hostile peers.** Messages that cannot be abort the connection with a `ProtocolError`.
 */
export interface RequestPeer<Remote = AnyMethods> extends AsyncDisposable {
  /** Settles when the connection has ended; never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** Counts, as of now. */
  readonly stats: RequestStats;
  /**
   * Asks for one value.
   *
   * @throws {RequestError} that the peer answered with, `timeout`, or `busy` for too many that wait.
   * @throws {TypeError} for a name above 255 bytes, and for params that are not JSON.
   * @throws {RangeError} for a timeout out of range.
   * @throws {MessageTooLargeError} for params larger than the peer takes.
   * @throws {ConnectionLostError} {ConnectionClosedError} when there will be no answer.
   */
  request<Name extends ValueMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], RequestCallOptions>
  ): Promise<ResultOf<Remote[Name & keyof Remote]>>;
  /**
   * Asks for a stream, when its first item is asked for. To be read once. Throws, from `next()`, what
   * `request()` does.
   */
  stream<Name extends StreamMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], StreamOptions>
  ): AsyncIterableIterator<StreamOf<Remote[Name & keyof Remote]>, undefined>;
  /**
   * Tells something that is not answered: whether a handler was there, or failed, only the peer knows.
   * Resolves when there is room for more. As with `send()`, forgetting the promise is safe.
   *
   * @throws {TypeError} {MessageTooLargeError} {ConnectionLostError} {ConnectionClosedError} as
   * `request()`.
   */
  notify<Name extends ValueMethods<Remote>>(
    method: Name,
    ...rest: NotifyArguments<Remote[Name & keyof Remote]>
  ): Promise<void>;
  /**
   * Closes the connection in order. Requests without an answer reject, handlers that run are told by
   * their signals. Resolves to `closed`.
   */
  close(options?: CloseOptions): Promise<CloseInfo>;
}

/** What a handler gets beside the params. */
export interface RequestContext<Remote = AnyMethods, Item = unknown> {
  /** Whom the request came from, to ask something in return. */
  readonly peer: RequestPeer<Remote>;
  /** Aborted when the caller cancels, or the connection ends. */
  readonly signal: AbortSignal;
  /** What the caller sends along; empty where that is nothing. Pulled as it is read. */
  readonly items: AsyncIterable<Item>;
}

/** Functions that answer, by the names of their methods. */
export type Handlers<Local, Remote = AnyMethods> = {
  readonly [Name in keyof Local]: (
    params: ParamsOf<Local[Name]>,
    context: RequestContext<Remote, ItemsOf<Local[Name]>>,
  ) => ResultOf<Local[Name]> | Promise<ResultOf<Local[Name]>>;
};

/** Options of `requests()`. */
export interface RequestOptions {
  /**
   * Requests of either end that have no answer yet, from 16: further ones of this end wait in order,
   * further ones of a peer that does not care are answered with `busy`.
   *
   * @default 1_000
   */
  maxRequests?: number;
  /**
   * Bytes of the messages of the requests that the peer may have without an answer, from 65_536. A
   * single one may be larger.
   *
   * @default 4_194_304
   */
  maxRequestBytes?: number;
  /**
   * Handlers that run at a time; further requests wait, in order.
   *
   * @default `maxRequests`
   */
  maxConcurrent?: number;
  /**
   * Requests of this end that wait for a place; further ones are refused with `busy`.
   *
   * @default 10_000
   */
  maxWaiting?: number;
  /**
   * Items of one stream that wait to be read at this end.
   *
   * @default 64
   */
  maxStreamItems?: number;
  /**
   * Bytes of one stream that wait to be read at this end; the last item may go beyond.
   *
   * @default 262_144
   */
  maxStreamBytes?: number;
  /**
   * Time for each answer in milliseconds, or `Infinity`.
   *
   * @default Infinity
   */
  timeout?: number;
  /**
   * Time for the peer to say that it speaks this, in milliseconds; then the connection is aborted.
   *
   * @default 10_000
   */
  helloTimeout?: number;
  /**
   * Tells the peer the message and, as `data.stack`, the stack of what a handler throws. For
   * development only.
   *
   * @default false
   */
  exposeErrors?: boolean;
  /**
   * Told what handlers throw, other than a `RequestError`, and what they answer that is not JSON.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown, method: string) => void;
}

/** Counts, as of now. */
export interface RequestStats {
  /** Requests of this end that were sent. */
  readonly sent: number;
  /** Requests of this end without an answer, those given up included. */
  readonly outstanding: number;
  /** Requests of this end that wait for a place. */
  readonly waiting: number;
  /** Answers and items that came for requests given up, and were dropped. */
  readonly late: number;
  /** Requests that came. */
  readonly received: number;
  /** Requests that came and have no answer yet. */
  readonly handling: number;
  /** Requests that came beyond what this end allows. */
  readonly refused: number;
  /** Notifications that came. */
  readonly notifications: number;
  /** Notifications that came and that no handler is there for. */
  readonly unhandledNotifications: number;
}
