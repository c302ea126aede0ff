/** Members of a group on backplanes that can be cut, and what tests wait for. */

import {
  type Backplane,
  type BackplaneChannels,
  type BackplanePort,
  inProcess,
} from "../../backplane.ts";
import { type GroupOptions, joinGroup, requestGroup, type WorkerOptions } from "../../group.ts";
import type { GroupWorker, RequestGroup } from "../../group.ts";
import type { AnyMethods, Handlers } from "../../request.ts";

/** Short times, so that the tests are. */
export const TIMES = { heartbeatInterval: 40, leaseTimeout: 400 };

/** What a cut backplane does with a message to another member: `false` loses it. */
type Rule = (channel: string, message: Uint8Array) => boolean;

/** One member's way to the others, which the test can change. */
export class Way implements Backplane {
  readonly #backplane: Backplane;
  /** What goes out, and what comes in. */
  out: Rule = () => true;
  in: Rule = () => true;
  /** How many messages went out. */
  sent = 0;

  constructor(backplane: Backplane) {
    this.#backplane = backplane;
  }

  /** Nobody hears it, and it hears nobody: as if it was killed, or frozen. */
  cut(): void {
    this.out = this.in = () => false;
  }

  /** As before. */
  join(): void {
    this.out = this.in = () => true;
  }

  attach(port: BackplanePort) {
    const link = this.#backplane.attach(port);
    const channels: BackplaneChannels = {
      maxMessageBytes: 100_000,
      subscribe: (channel, take) =>
        link.channels!.subscribe(channel, (message) => {
          if (this.in(channel, message)) take(message);
        }),
      unsubscribe: (channel) => link.channels!.unsubscribe(channel),
      publish: (channel, message) => {
        this.sent++;
        if (this.out(channel, message)) link.channels!.publish(channel, message);
      },
    };
    return {
      channels,
      subscribe: (room: string) => link.subscribe(room),
      unsubscribe: (room: string) => link.unsubscribe(room),
      publish: (room: string, bytes: () => Uint8Array) => link.publish(room, bytes),
      close: () => link.close(),
    };
  }
}

/** A group, all of whose members leave at the end of the test. */
export class World implements AsyncDisposable {
  readonly backplane: Backplane = inProcess();
  readonly #members: AsyncDisposable[] = [];
  readonly errors: unknown[] = [];

  /** A worker, and its way. */
  worker<M = AnyMethods>(
    handlers: Handlers<NoInfer<M>>,
    options: WorkerOptions = {},
  ): GroupWorker & { way: Way } {
    const way = new Way(this.backplane);
    const onError = (error: unknown) => this.errors.push(error);
    const worker = joinGroup<M>(way, "g", handlers, { ...TIMES, onError, ...options });
    // What waits for a worker that was cut off is aborted at once.
    this.#members.push({ [Symbol.asyncDispose]: () => worker.close({ grace: 1 }) });
    return Object.assign(worker, { way });
  }

  /** A caller, and its way. */
  caller<M>(options: GroupOptions = {}): RequestGroup<M> & { way: Way } {
    const way = new Way(this.backplane);
    const onError = (error: unknown) => this.errors.push(error);
    const caller = requestGroup<M>(way, "g", { ...TIMES, onError, ...options });
    this.#members.push(caller);
    return Object.assign(caller, { way });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member[Symbol.asyncDispose]()));
  }
}

/** Waits until something is so, and looks after each turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A promise that the test settles, and whether a handler waits for it. */
export class Gate {
  readonly #open = Promise.withResolvers<void>();
  /** How many have come to it. */
  waiting = 0;

  async pass(signal?: AbortSignal): Promise<void> {
    this.waiting++;
    const { promise, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    signal?.addEventListener("abort", () => reject(signal.reason));
    await Promise.race([this.#open.promise, promise]);
  }

  open(): void {
    this.#open.resolve();
  }
}
