/** Requests to a group of workers: the types of its two ends. */

import type {
  AnyMethods,
  CallArguments,
  RequestCallOptions,
  RequestTotals,
  ResultOf,
  StreamMethods,
  StreamOf,
  StreamOptions,
  Telemetry,
  ValueMethods,
} from "../request.ts";

/** Times of a group, in milliseconds. All its members should have the same. */
export interface GroupTimes {
  /**
   * How often a member says that it is there.
   *
   * @default 2_500
   */
  heartbeatInterval?: number;
  /**
   * After so long without a word of it, a member is lost. It must be more than twice
   * `heartbeatInterval`.
   *
   * @default 9_000
   */
  leaseTimeout?: number;
}

/** Options of {@linkcode requestGroup}. Sizes are bytes, times are milliseconds. */
export interface GroupOptions extends GroupTimes {
  /**
   * How many requests of this caller may be under way, with all workers together.
   *
   * @default 1_000
   */
  maxRequests?: number;
  /**
   * How many further requests may wait. Beyond it they are refused with `busy`.
   *
   * @default 10_000
   */
  maxWaiting?: number;
  /**
   * How many workers are known. Further ones are counted as `refused`.
   *
   * @default 1_000
   */
  maxWorkers?: number;
  /**
   * The largest answer, or item of a stream.
   *
   * @default 16_777_216
   */
  maxMessageBytes?: number;
  /**
   * To how many workers a repeatable request is given, one after the other, if each is lost. It keeps one
   * that ends its workers from ending all.
   *
   * @default 3
   */
  maxAttempts?: number;
  /**
   * How long a request waits for a worker that serves its method. Then it fails with `no-worker`.
   *
   * @default 10_000
   */
  workerTimeout?: number;
  /**
   * A worker that has not taken for so long what it was sent gets no further requests until it does, and
   * the repeatable ones that it has not taken are given to others.
   *
   * @default 2_000
   */
  acceptTimeout?: number;
  /**
   * The time for each answer, or `Infinity`. It includes all waiting and all attempts.
   *
   * @default Infinity
   */
  timeout?: number;
  /** Traces the requests; see `requests()`. */
  telemetry?: Telemetry;
  /**
   * Called with what the backplane reports.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown) => void;
}

/** Options of {@linkcode joinGroup}. Sizes are bytes, times are milliseconds. */
export interface WorkerOptions extends GroupTimes {
  /**
   * How many handlers run at a time, for all callers together. How busy a worker is, is told as a share
   * of it.
   *
   * @default 100
   */
  maxConcurrent?: number;
  /**
   * How many further requests wait for their turn. Beyond it the answer is `busy`, and the caller asks
   * another worker.
   *
   * @default 1_000
   */
  maxWaiting?: number;
  /**
   * How many requests each caller may have here; at least 16. Further ones wait at the caller.
   *
   * @default 1_000
   */
  maxRequestsPerCaller?: number;
  /**
   * How many bytes the requests of each caller may have together; at least 65_536.
   *
   * @default 4_194_304
   */
  maxRequestBytes?: number;
  /**
   * The largest request, or item of a caller.
   *
   * @default 1_048_576
   */
  maxMessageBytes?: number;
  /**
   * How many callers may have requests here. Further ones are told that the worker is busy.
   *
   * @default 1_000
   */
  maxCallers?: number;
  /**
   * How many answers to repeatable requests are remembered, for three times `leaseTimeout`. The oldest is
   * forgotten first.
   *
   * @default 10_000
   */
  maxRemembered?: number;
  /**
   * How many bytes these answers may have together. An answer above a tenth of it is not remembered.
   *
   * @default 16_777_216
   */
  maxRememberedBytes?: number;
  /** Whether callers see the details of what handlers throw; see `requests()`. */
  exposeErrors?: boolean;
  /** Traces the handlers; see `requests()`. */
  telemetry?: Telemetry;
  /** Counts the requests; see `requests()`. */
  totals?: RequestTotals;
  /**
   * Called with errors of handlers that are not a `RequestError`, with the name of the method, and with
   * what the backplane reports, without one.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown, method?: string) => void;
}

/** How a stream of a group is asked for. */
export interface GroupStreamOptions extends StreamOptions {
  /**
   * Whether it does no harm if a worker does it twice, or two workers do it. Only then the request is
   * given to another worker when the first one is lost. A stream is begun again only if none of its items
   * has come. Not together with `items`.
   *
   * @default false
   */
  repeatable?: boolean;
}

/** How a group is asked for a value. */
export interface GroupCallOptions extends RequestCallOptions {
  /**
   * Whether it does no harm if a worker does it twice, or two workers do it. Only then the request is
   * given to another worker when the first one is lost. Not together with `items`.
   *
   * @default false
   */
  repeatable?: boolean;
}

/**
 * The workers of a group, as a caller sees them. Made by {@linkcode requestGroup}.
 *
 * - **Who gets it.** Of two workers at random that serve the method, the less busy one. If it is full, the
 *   other ones are asked. If nobody serves it, the request waits.
 * - **One answer each.** A request settles once. Errors of handlers come as `requests()` brings them.
 * - **Lost workers.** A worker that is not heard for `leaseTimeout`, or that misses a message, is lost. Its
 *   repeatable requests go to another one, all others fail with `worker-lost`: they may have been done or
 *   not. A request that fails with `no-worker` or `busy` was not done.
 * - **Twice.** A repeatable request keeps its id. A worker that gets it again gives the answer that it
 *   remembers, and does not do it again.
 * - **Order.** None, even with a single worker: requests of one caller may overtake each other.
 */
export interface RequestGroup<Remote = AnyMethods> extends AsyncDisposable {
  /** The name of the group. */
  readonly name: string;
  /** Resolves when the first worker is known; never rejects. */
  readonly ready: Promise<void>;
  /** The workers that are known now. */
  readonly workers: readonly KnownWorker[];
  /** How many requests there were so far. */
  readonly stats: GroupStats;
  /**
   * Asks one of the workers for a value.
   *
   * @throws {RequestError} with which the worker answered; with code `timeout` if there is no answer in
   * time; `no-worker` if nobody took it; `busy` if all are, or too many requests wait; `worker-lost`.
   * @throws {TypeError} if the name is above 255 bytes, or the params are not JSON.
   * @throws {RangeError} if the timeout is out of range.
   * @throws {MessageTooLargeError} if the params are larger than the worker accepts.
   * @throws {ConnectionClosedError} after `close()`.
   */
  request<Name extends ValueMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], GroupCallOptions>
  ): Promise<ResultOf<Remote[Name & keyof Remote]>>;
  /**
   * Asks one of the workers for a stream, at the first `next()`. The stream can be read once. Its `next()`
   * throws the errors of `request()`.
   */
  stream<Name extends StreamMethods<Remote>>(
    method: Name,
    ...rest: CallArguments<Remote[Name & keyof Remote], GroupStreamOptions>
  ): AsyncIterableIterator<StreamOf<Remote[Name & keyof Remote]>, undefined>;
  /** Leaves the group. Requests without an answer reject, and are cancelled at their workers. */
  close(): Promise<void>;
}

/** A worker, as a caller sees it. */
export interface KnownWorker {
  /** Different for each worker. */
  readonly id: string;
  /** What it serves. */
  readonly methods: readonly string[];
  /** How many requests it has, of all callers, as far as is known. */
  readonly load: number;
  /** How many it works on at a time. */
  readonly capacity: number;
  /** How many requests of this caller are under way with it. */
  readonly requests: number;
  /** `stalled` if it does not take what it is sent, `leaving` if it takes no further requests. */
  readonly state: "ready" | "stalled" | "leaving";
}

/** What a caller has done so far. */
export interface GroupStats {
  /** Requests that were given to a worker; one that was given to two counts twice. */
  readonly sent: number;
  /** Requests that are under way. */
  readonly outstanding: number;
  /** Requests that wait for a worker. */
  readonly waiting: number;
  /** Requests that were given to another worker, because the first one was lost or took nothing. */
  readonly repeated: number;
  /** Requests that were given to another worker, because the first one was busy. */
  readonly passedOn: number;
  /** Requests that failed with `worker-lost`. */
  readonly lost: number;
  /** Workers that were lost. */
  readonly lostWorkers: number;
  /** How often a worker was beyond `maxWorkers`. */
  readonly refused: number;
  /** Messages that are none of ours, and were dropped. */
  readonly foreign: number;
}

/** One worker of a group. Made by {@linkcode joinGroup}. */
export interface GroupWorker extends AsyncDisposable {
  /** The name of the group. */
  readonly name: string;
  /** Different for each worker. */
  readonly id: string;
  /** Resolves when it has left; never rejects. */
  readonly closed: Promise<void>;
  /** What it has done so far. */
  readonly stats: WorkerStats;
  /**
   * Takes no further requests, finishes those that it has, and leaves. What is not finished after `grace`
   * milliseconds is aborted.
   *
   * @param options `grace` is 5_000 by default.
   */
  close(options?: { grace?: number }): Promise<void>;
}

/** What a worker has done so far. */
export interface WorkerStats {
  /** Callers that have a lane to this worker. */
  readonly callers: number;
  /** Requests that are being worked on. */
  readonly running: number;
  /** Requests that wait for their turn. */
  readonly waiting: number;
  /** Requests that were answered, whatever the answer. */
  readonly answered: number;
  /** Requests that were answered with `busy`, and callers that were refused. */
  readonly refused: number;
  /** Requests that came again, and were not done again. */
  readonly remembered: number;
  /** Callers that were lost. */
  readonly lostCallers: number;
  /** Messages that are none of ours, and were dropped. */
  readonly foreign: number;
}
