/** What a caller has to one worker: a lane, and requests over it. */

import { Connection } from "../connection.ts";
import { requests } from "../request.ts";
import type { RequestPeer } from "../request.ts";
import type { StartOptions } from "../request/internal.ts";
import type { Lane } from "./lane.ts";
import type { ResolvedGroupOptions } from "./options.ts";

/** `requests()` with names that are not known to the compiler. */
interface AnyPeer extends Omit<RequestPeer, "request" | "stream"> {
  request(method: string, params: unknown, options: StartOptions): Promise<unknown>;
  stream(
    method: string,
    params: unknown,
    options: StartOptions,
  ): AsyncIterableIterator<unknown, undefined>;
}

/** Something that may be given to another worker, if this one does not take it. */
export interface Movable {
  /** How many bytes the worker has taken when it has taken this. */
  readonly mark: number;
  /** The worker does not take it. */
  move(): void;
}

/** Requests to one worker. */
export class WorkerLink {
  readonly peer: AnyPeer;
  /** What may be given to another worker. */
  readonly movables: Set<Movable> = new Set();

  readonly #connection: Connection;

  /** Over a lane. */
  constructor(
    readonly lane: Lane,
    { maxMessageBytes, maxRequests, telemetry }: ResolvedGroupOptions,
  ) {
    this.#connection = new Connection(lane, { maxMessageBytes });
    this.peer = requests(this.#connection, {}, {
      maxRequests: Math.max(16, maxRequests),
      telemetry,
      onError: () => {}, // There are no handlers.
    }) as unknown as AnyPeer;
  }

  /** How many bytes the worker will have taken when it has taken all that was sent so far. */
  get mark(): number {
    return this.lane.sentBytes + this.#connection.stats.bufferedBytes;
  }

  /** Whether nothing was taken for so long of what was sent. */
  isStalled(acceptTimeout: number, now: number): boolean {
    return now - this.lane.waitingSince > acceptTimeout;
  }

  /** Gives up what the worker does not take. */
  moveUntaken(): void {
    const { takenBytes } = this.lane;
    for (const movable of [...this.movables]) if (movable.mark > takenBytes) movable.move();
  }
}
