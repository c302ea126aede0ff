/** One request to a group for a value. */

import type { Ready, StartOptions } from "../request/internal.ts";
import { type CallerParts, readyParams, verdictOf, workerLost } from "./attempts.ts";
import type { Claimant, Worker } from "./claims.ts";
import type { Movable } from "./worker_link.ts";

/** How it is made. */
export interface GroupCallSettings extends StartOptions {
  /** Whether it may be given to another worker. */
  readonly repeatable?: boolean;
}

/** One try with one worker. */
class Attempt implements Movable {
  mark = Infinity;
  readonly #controller: AbortController | undefined;

  constructor(readonly worker: Worker, readonly call: GroupCall, isMovable: boolean) {
    if (isMovable) this.#controller = new AbortController();
  }

  /** What cancels it alone. */
  get signal(): AbortSignal | undefined {
    return this.#controller?.signal;
  }

  move(): void {
    this.call.moved(this);
  }

  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}

/** A request, from its start to its answer. */
export class GroupCall implements Claimant {
  readonly deadline: number;
  readonly refusedBy: Set<string> = new Set();

  readonly #caller: CallerParts;
  readonly #params: Ready;
  readonly #settings: GroupCallSettings;
  readonly #key: string | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #state: "open" | "settled" = "open";
  #unwatch: (() => void) | undefined;

  /**
   * It begins when it is claimed for.
   *
   * @throws {TypeError} if the params are not JSON.
   */
  constructor(
    caller: CallerParts,
    readonly method: string,
    params: unknown,
    settings: GroupCallSettings,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    const { timeout = caller.options.timeout, repeatable = false, signal } = settings;
    this.#caller = caller;
    this.#params = readyParams(params, method);
    this.#settings = settings;
    this.#resolve = resolve;
    this.#reject = reject;
    this.deadline = timeout === Infinity ? Infinity : performance.now() + timeout;
    if (!repeatable) return;
    this.#key = caller.newKey();
    if (signal === undefined) return;
    // Each attempt has a signal of its own.
    const abort = () => this.#attempt?.cancel(signal.reason);
    signal.addEventListener("abort", abort);
    this.#unwatch = () => signal.removeEventListener("abort", abort);
  }

  get signal(): AbortSignal | undefined {
    return this.#settings.signal;
  }

  granted(worker: Worker): void {
    const caller = this.#caller;
    const attempt = this.#attempt = new Attempt(worker, this, this.#key !== undefined);
    this.#attempts++;
    caller.counts.sent++;
    const link = caller.linkTo(worker);
    const { items, signal } = this.#settings;
    const timeout = this.deadline === Infinity
      ? Infinity
      : Math.max(1, Math.ceil(this.deadline - performance.now()));
    link.peer.request(this.method, this.#params, {
      timeout,
      ...(items === undefined ? {} : { items }),
      ...(this.#key === undefined ? { signal } : { signal: attempt.signal, key: this.#key }),
    }).then(
      (value) => this.#ended(attempt, link, () => this.#succeed(value)),
      (error) => this.#ended(attempt, link, () => this.#failedAt(attempt, link, error)),
    );
    if (this.#key === undefined) return;
    attempt.mark = link.mark;
    link.movables.add(attempt);
  }

  failed(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  /** A worker does not take it: another one may be faster. */
  moved(attempt: Attempt): void {
    const { options, counts, claims } = this.#caller;
    if (attempt !== this.#attempt || this.#attempts >= options.maxAttempts) return;
    if (!this.#caller.hasOther(this.method, this.refusedBy)) return;
    this.#attempt = undefined;
    attempt.cancel(new Error("another worker does it"));
    counts.repeated++;
    claims.claim(this);
  }

  #ended(attempt: Attempt, link: NonNullable<Worker["link"]>, settle: () => void): void {
    link.movables.delete(attempt);
    const { claims } = this.#caller;
    claims.release(attempt.worker);
    if (attempt === this.#attempt && this.#state === "open") {
      this.#attempt = undefined;
      settle();
    }
    claims.next();
    this.#caller.released(attempt.worker);
  }

  #succeed(value: unknown): void {
    this.#settle();
    this.#resolve(value);
  }

  #failedAt({ worker }: Attempt, link: NonNullable<Worker["link"]>, error: unknown): void {
    const { claims, counts, group, options } = this.#caller;
    switch (verdictOf(error, link, this.#caller)) {
      case "pass on":
        if (this.#settings.items !== undefined) return this.failed(error); // Some may have been taken.
        this.refusedBy.add(worker.id);
        counts.passedOn++;
        return claims.claim(this, { now: () => error });
      case "lost":
        if (this.#key !== undefined && this.#attempts < options.maxAttempts) {
          counts.repeated++;
          return claims.claim(this);
        }
        counts.lost++;
        return this.failed(workerLost(this.method, group, error));
      case "fail":
        return this.failed(error);
    }
  }

  #settle(): void {
    this.#state = "settled";
    this.#unwatch?.();
  }
}
