/** One worker, seen from the main thread. */

import type { ServerStats } from "../../../listen/listen.ts";
import type { TlsListenOptions } from "../../../transport.ts";
import { UsageError } from "../../shared/options.ts";
import { within } from "../../shared/within.ts";
import type { Beginning, Down, OutputName, Up } from "./items.ts";

/** How long a worker that is busy may take to answer, in milliseconds. */
const ANSWER_TIMEOUT = 2_000;
/** How long a worker may take beyond its time to close, in milliseconds. */
const CLOSE_MARGIN = 10_000;

/** Who has a worker. */
export interface WorkerOwner {
  /** Takes whole lines. Resolves when there is room for more. */
  output(to: OutputName, bytes: Uint8Array): Promise<void>;
  /** It has ended by an error, after it had begun. */
  ended(message: string): void;
}

/** A worker. */
export class ServerWorker {
  /** Its counts, as it last told them. */
  lastStats: ServerStats | undefined;
  readonly #worker: Worker;
  readonly #owner: WorkerOwner;
  readonly #listening = Promise.withResolvers<readonly string[]>();
  readonly #closed = Promise.withResolvers<void>();
  #stats = Promise.withResolvers<void>();
  #renewed = Promise.withResolvers<void>();
  #state: "beginning" | "open" | "ended" = "beginning";

  private constructor(beginning: Beginning, owner: WorkerOwner) {
    this.#owner = owner;
    this.#worker = new Worker(new URL("./thread.ts", import.meta.url), {
      type: "module",
      name: `worker ${beginning.worker}`,
    });
    this.#worker.onmessage = ({ data }) => this.#take(data as Up);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // Deno would end the process.
      this.#fail(event.message);
    };
    const { backplane, chat } = beginning;
    this.#worker.postMessage(beginning satisfies Down, [backplane, chat]);
  }

  /**
   * Starts one, and waits until it listens. Gives the worker and its endpoints.
   *
   * @throws {UsageError} {Error} if it cannot begin.
   */
  static async start(
    beginning: Beginning,
    owner: WorkerOwner,
  ): Promise<{ worker: ServerWorker; endpoints: readonly string[] }> {
    const worker = new ServerWorker(beginning, owner);
    return { worker, endpoints: await worker.#listening.promise };
  }

  /** Tells it that the server will close. */
  drain(reason: string): void {
    if (this.#state === "open") this.#worker.postMessage({ do: "drain", reason } satisfies Down);
  }

  /** Gives it other certificates. Resolves when it uses them, or is too busy to say so. */
  async renew(tls: TlsListenOptions): Promise<void> {
    if (this.#state !== "open") return;
    this.#worker.postMessage({ do: "certificates", tls } satisfies Down);
    await within(ANSWER_TIMEOUT, this.#renewed.promise);
  }

  /** Its counts as of now, or the last ones if it is too busy to tell them. */
  async stats(): Promise<ServerStats | undefined> {
    if (this.#state === "open") {
      this.#worker.postMessage({ do: "stats" } satisfies Down);
      await within(ANSWER_TIMEOUT, this.#stats.promise);
    }
    return this.lastStats;
  }

  /** Closes it in order; when it does not in time, at once. */
  async close(grace: number): Promise<void> {
    if (this.#state === "open") {
      this.#worker.postMessage({ do: "close", grace } satisfies Down);
      await within(grace + CLOSE_MARGIN, this.#closed.promise);
    }
    this.terminate();
  }

  /** Ends it at once. */
  terminate(): void {
    this.#state = "ended";
    this.#worker.terminate();
    this.#settle();
  }

  /** Ends it because of something, as if it had ended by itself. */
  #fail(message: string): void {
    const before = this.#state;
    if (before === "ended") return;
    this.terminate();
    this.#listening.reject(new Error(message));
    if (before === "open") this.#owner.ended(message);
  }

  /** It cannot go on. */
  giveUp(reason: string): void {
    this.#fail(reason);
  }

  #take(item: Up): void {
    if (this.#state === "ended") return;
    switch (item.do) {
      case "listening":
        this.#state = "open";
        return this.#listening.resolve(item.endpoints);
      case "failed": {
        const { message, isUsage } = item;
        this.#listening.reject(isUsage ? new UsageError(message) : new Error(message));
        return this.terminate();
      }
      case "stats":
        this.lastStats = item.stats;
        this.#stats.resolve();
        this.#stats = Promise.withResolvers();
        return;
      case "renewed":
        this.#renewed.resolve();
        this.#renewed = Promise.withResolvers();
        return;
      case "closed":
        return this.#closed.resolve();
      case "output":
        this.#owner.output(item.to, item.bytes).then(() => {
          if (this.#state === "ended") return;
          this.#worker.postMessage({ do: "taken", to: item.to } satisfies Down);
        });
    }
  }

  /** Nobody waits for it any more. */
  #settle(): void {
    this.#closed.resolve();
    this.#stats.resolve();
    this.#renewed.resolve();
  }
}
