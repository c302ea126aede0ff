/** One request to a group for a stream. */

import { handledResolvers } from "../internal/handled.ts";
import type { Ready } from "../request/internal.ts";
import { type CallerParts, readyParams, verdictOf, workerLost } from "./attempts.ts";
import type { GroupCallSettings } from "./call.ts";
import type { Claimant, Worker } from "./claims.ts";

const DONE = { done: true, value: undefined } as const;

/** The stream of one worker. */
interface Source {
  readonly worker: Worker;
  readonly link: NonNullable<Worker["link"]>;
  readonly items: AsyncIterableIterator<unknown, undefined>;
}

/** A stream that begins with the first `next()`. */
export class GroupStream
  implements AsyncIterableIterator<unknown, undefined>, Claimant, AsyncDisposable {
  readonly deadline = Infinity;
  readonly refusedBy: Set<string> = new Set();

  readonly #caller: CallerParts;
  readonly #params: Ready;
  readonly #settings: GroupCallSettings;
  #source: Source | undefined;
  /** Settles with the next worker. */
  #opening: PromiseWithResolvers<Source> | undefined;
  #attempts = 0;
  #state: "fresh" | "begun" | "ended" = "fresh";
  /** Those who read, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws {TypeError} if the params are not JSON. */
  constructor(
    caller: CallerParts,
    readonly method: string,
    params: unknown,
    settings: GroupCallSettings,
  ) {
    this.#caller = caller;
    this.#params = readyParams(params, method);
    this.#settings = settings;
  }

  get signal(): AbortSignal | undefined {
    return this.#settings.signal;
  }

  granted(worker: Worker): void {
    const { signal, items } = this.#settings;
    this.#attempts++;
    this.#caller.counts.sent++;
    const link = this.#caller.linkTo(worker);
    const source: Source = {
      worker,
      link,
      items: link.peer.stream(this.method, this.#params, {
        signal,
        ...(items === undefined ? {} : { items }),
      }),
    };
    if (this.#state === "ended") return this.#release(source);
    this.#source = source;
    this.#opening!.resolve(source);
  }

  failed(error: unknown): void {
    this.#opening!.reject(error);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #next(): Promise<IteratorResult<unknown, undefined>> {
    for (let isFirst = this.#state === "fresh";;) {
      if (this.#state === "ended") return DONE;
      try {
        const { items } = this.#source ?? await this.#open();
        const result = await items.next();
        if (result.done) this.#end();
        else this.#state = "begun";
        return result;
      } catch (error) {
        const source = this.#source;
        if (this.#isEnded()) return DONE;
        const failure = source === undefined ? { error } : this.#failedAt(source, isFirst, error);
        if (failure === undefined) continue;
        this.#end();
        throw failure.error;
      } finally {
        isFirst = this.#state === "fresh";
      }
    }
  }

  async #open(): Promise<Source> {
    this.#opening = handledResolvers<Source>();
    this.#caller.claims.claim(this);
    return await this.#opening.promise;
  }

  /** Returns the error, or undefined if another worker is to be asked. */
  #failedAt(source: Source, isFirst: boolean, error: unknown): { error: unknown } | undefined {
    const { counts, group, options } = this.#caller;
    this.#source = undefined;
    this.#release(source);
    const mayRepeat = isFirst && this.#settings.items === undefined;
    switch (verdictOf(error, source.link, this.#caller)) {
      case "pass on":
        if (!mayRepeat || this.refusedBy.has(source.worker.id)) return { error };
        this.refusedBy.add(source.worker.id);
        counts.passedOn++;
        return this.#hasOther() ? undefined : { error };
      case "lost":
        if (mayRepeat && this.#settings.repeatable && this.#attempts < options.maxAttempts) {
          counts.repeated++;
          return undefined;
        }
        counts.lost++;
        return { error: workerLost(this.method, group, error) };
      case "fail":
        return { error };
    }
  }

  /** Whether somebody else may take what a busy worker did not. */
  #hasOther(): boolean {
    return this.#caller.hasOther(this.method, this.refusedBy);
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }

  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const source = this.#source;
    this.#source = undefined;
    if (source === undefined) return;
    source.items.return?.();
    this.#release(source);
  }

  #release({ worker }: Source): void {
    const { claims } = this.#caller;
    claims.release(worker);
    claims.next();
    this.#caller.released(worker);
  }
}
