/** A worker of a group: what it serves, for whom, and how busy it is. */

import type { Backplane } from "../backplane.ts";
import { Connection } from "../connection.ts";
import { deadlineOf, Wakeup } from "../internal/time.ts";
import { fitsName, type Handler } from "../request/internal.ts";
import { type Handlers, type RequestPeer, requests } from "../request.ts";
import { inTurn } from "./handling.ts";
import type { Lane } from "./lane.ts";
import { Mailbox } from "./mailbox.ts";
import { MAX_METHODS, type Notice } from "./notices.ts";
import type { ResolvedWorkerOptions } from "./options.ts";
import { Remembered } from "./remembered.ts";
import { Turns } from "./turns.ts";
import type { GroupWorker, WorkerStats } from "./types.ts";

/** How long an answer is remembered, in leases: longer than anybody needs to notice that it did not come. */
const REMEMBERED_LEASES = 3;
/** Several callers that ask at the same time get one answer, after so many milliseconds. */
const ASK_DELAY = 20;
/** How busy it is is told at once if it changes by such a share of its capacity, but not more often than this. */
const LOAD_SHARE = 4;
const LOAD_INTERVAL = 250;
/** A caller has one lane, and for a moment another one that is over. */
const MAX_LANES = 4;

/** A caller that has lanes to this worker, or had some. */
interface Known {
  heard: number;
  /** The number of its last lane. Each is opened once. */
  lastLane: number;
  readonly lanes: Map<Lane, { readonly connection: Connection; readonly peer: RequestPeer }>;
}

/** Joins mailbox, turns and memory. {@linkcode joinGroup} makes one. */
export class Worker implements GroupWorker {
  readonly closed: Promise<void>;

  readonly #options: ResolvedWorkerOptions;
  readonly #mailbox: Mailbox;
  readonly #methods: readonly string[];
  /** Without a prototype, so that any name is a method. */
  readonly #handlers: Record<string, Handler> = Object.create(null);
  readonly #turns: Turns;
  readonly #remembered: Remembered;
  readonly #callers = new Map<string, Known>();
  readonly #beat = new Wakeup(() => this.#announce(), { idle: true });
  /** As above, for somebody who waits for it. */
  readonly #answer = new Wakeup(() => this.#announce());
  readonly #expiry = new Wakeup((now) => this.#expire(now), { idle: true, patient: true });
  readonly #gone = Promise.withResolvers<void>();
  #told = 0;
  #toldAt = -Infinity;
  #answered = 0;
  #refusedCallers = 0;
  #lostCallers = 0;
  #state: "open" | "leaving" | "closed" = "open";
  /** Called when there is no lane any more. */
  #idle: (() => void) | undefined;

  /**
   * Announces its methods.
   *
   * @throws {TypeError} if a handler is not a function, or its name too long.
   * @throws {RangeError} if there are too many handlers.
   */
  constructor(
    backplane: Backplane,
    readonly name: string,
    handlers: object,
    options: ResolvedWorkerOptions,
  ) {
    const { maxConcurrent, maxWaiting, maxRemembered, maxRememberedBytes } = options;
    this.#options = options;
    this.closed = this.#gone.promise;
    this.#turns = new Turns(maxConcurrent, maxWaiting, () => this.#loadChanged());
    const time = REMEMBERED_LEASES * options.leaseTimeout;
    this.#remembered = new Remembered(maxRemembered, maxRememberedBytes, time);
    this.#methods = this.#take(handlers);
    this.#mailbox = new Mailbox(backplane, name, "worker", this);
    this.#announce();
  }

  get id(): string {
    return this.#mailbox.id;
  }

  get load(): number {
    return this.#turns.running + this.#turns.waiting;
  }

  get stats(): WorkerStats {
    const { running, waiting, refused } = this.#turns;
    return {
      callers: this.#callers.values().reduce((sum, { lanes }) => sum + Math.min(1, lanes.size), 0),
      running,
      waiting,
      answered: this.#answered,
      refused: refused + this.#refusedCallers,
      remembered: this.#remembered.used,
      lostCallers: this.#lostCallers,
      foreign: this.#mailbox.foreign,
    };
  }

  async close({ grace = 5_000 }: { grace?: number } = {}): Promise<void> {
    if (this.#state !== "open") return await this.closed;
    this.#state = "leaving";
    this.#beat.clear();
    this.#answer.clear();
    this.#mailbox.say({ kind: "leave" });
    // Callers close their lanes when they have their answers.
    const lanes = [...this.#callers.values()].flatMap((caller) => [...caller.lanes.values()]);
    if (lanes.length > 0) {
      const idle = Promise.withResolvers<void>();
      this.#idle = idle.resolve;
      const deadline = deadlineOf(Math.max(1, grace), idle.resolve);
      await idle.promise;
      deadline.clear();
    }
    this.#state = "closed";
    this.#expiry.clear();
    for (const { connection } of lanes) connection.abort(new Error("the worker leaves its group"));
    await Promise.all(lanes.map(({ connection }) => connection.closed));
    this.#mailbox.close();
    this.#gone.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  noticed({ kind, id }: Notice): void {
    if (this.#state !== "open") return;
    const caller = this.#callers.get(id);
    // If it has lanes, they end by themselves, or by its lease.
    if (kind === "bye" && caller?.lanes.size === 0) this.#callers.delete(id);
    else if (caller !== undefined) caller.heard = performance.now();
    if (kind === "ask") this.#answer.at(Math.min(this.#answer.due, performance.now() + ASK_DELAY));
  }

  heard(member: string): void {
    const caller = this.#callers.get(member);
    if (caller !== undefined) caller.heard = performance.now();
  }

  opening(id: string, number: number, open: () => Lane): string | boolean {
    if (this.#state !== "open") return "the worker leaves its group";
    const now = performance.now();
    const before = this.#callers.get(id);
    if (before !== undefined && number <= before.lastLane) return false;
    if (before === undefined && this.#callers.size >= this.#options.maxCallers) {
      this.#refusedCallers++;
      return `the worker has ${this.#callers.size} callers, and takes no more`;
    }
    if (before !== undefined && before.lanes.size >= MAX_LANES) {
      this.#refusedCallers++;
      return `the caller has ${before.lanes.size} lanes already`;
    }
    const caller = before ?? { heard: now, lastLane: 0, lanes: new Map() };
    this.#callers.set(id, caller);
    caller.heard = now;
    caller.lastLane = number;
    const lane = open();
    caller.lanes.set(lane, this.#serve(lane));
    this.#expiry.at(Math.min(this.#expiry.due, now + this.#options.leaseTimeout));
    return true;
  }

  laneClosed(lane: Lane): void {
    this.#callers.get(lane.peer)?.lanes.delete(lane);
    if (this.#idle !== undefined && this.#mailbox.lanes === 0) this.#idle();
  }

  failed(error: unknown): void {
    this.#options.onError(error);
  }

  #serve(lane: Lane): { connection: Connection; peer: RequestPeer } {
    const { maxMessageBytes, maxRequestsPerCaller, maxRequestBytes } = this.#options;
    const { exposeErrors, telemetry, totals, onError } = this.#options;
    const connection = new Connection(lane, { maxMessageBytes });
    const peer = requests(connection, this.#handlers as Handlers<never>, {
      maxRequests: maxRequestsPerCaller,
      maxRequestBytes,
      exposeErrors,
      telemetry,
      totals,
      onError,
    });
    return { connection, peer };
  }

  #take(handlers: object): string[] {
    const parts = {
      turns: this.#turns,
      remembered: this.#remembered,
      answered: () => {
        this.#answered++;
      },
    };
    const entries = Object.entries(handlers);
    if (entries.length > MAX_METHODS) {
      throw new RangeError(
        `Cannot serve ${entries.length} methods in a group: limit is ${MAX_METHODS}`,
      );
    }
    for (const [method, handler] of entries) {
      if (typeof handler !== "function") {
        throw new TypeError(
          `Cannot answer ${method}: its handler is ${typeof handler}, no function`,
        );
      }
      if (!fitsName(method)) {
        throw new TypeError(`Cannot answer "${method.slice(0, 32)}…": its name is above 255 bytes`);
      }
      this.#handlers[method] = inTurn(method, handler.bind(handlers), parts);
    }
    return entries.map(([method]) => method);
  }

  #announce(): void {
    if (this.#state !== "open") return;
    const now = performance.now();
    this.#told = this.load;
    this.#toldAt = now;
    this.#beat.at(now + this.#options.heartbeatInterval);
    this.#mailbox.say({
      kind: "worker",
      methods: this.#methods,
      load: this.#told,
      capacity: this.#options.maxConcurrent,
    });
  }

  #loadChanged(): void {
    const { maxConcurrent } = this.#options;
    if (this.#state !== "open" || Math.abs(this.load - this.#told) * LOAD_SHARE < maxConcurrent) {
      return;
    }
    this.#beat.at(
      Math.min(this.#beat.due, Math.max(this.#toldAt + LOAD_INTERVAL, performance.now())),
    );
  }

  #expire(now: number): void {
    const { leaseTimeout } = this.#options;
    let next = Infinity;
    for (const [id, { heard, lanes }] of this.#callers) {
      if (now - heard < leaseTimeout) {
        next = Math.min(next, heard + leaseTimeout);
        continue;
      }
      this.#callers.delete(id);
      if (lanes.size > 0) this.#lostCallers++;
      for (const lane of [...lanes.keys()]) {
        lane.fail(new Error(`nothing came of the caller for ${leaseTimeout} ms`));
      }
    }
    this.#expiry.at(next);
  }
}
