/** A caller of a group: whom it knows, and what it has asked. */

import type { Backplane } from "../backplane.ts";
import { ConnectionClosedError } from "../errors.ts";
import { checkDelay } from "../internal/check.ts";
import { Wakeup } from "../internal/time.ts";
import { fitsName } from "../request/internal.ts";
import type { CallerParts } from "./attempts.ts";
import { GroupCall, type GroupCallSettings } from "./call.ts";
import { Claims, type Worker } from "./claims.ts";
import type { Lane } from "./lane.ts";
import { Mailbox } from "./mailbox.ts";
import type { Notice } from "./notices.ts";
import type { ResolvedGroupOptions } from "./options.ts";
import { Roster } from "./roster.ts";
import { GroupStream } from "./stream.ts";
import type { GroupStats, KnownWorker, RequestGroup } from "./types.ts";
import { WorkerLink } from "./worker_link.ts";

/** How often stalled workers are looked for, as a share of `acceptTimeout`. */
const LOOKS = 4;

/** Joins mailbox, roster and claims. {@linkcode requestGroup} makes one. */
export class Caller implements RequestGroup, CallerParts {
  /** It has no requests of others. */
  readonly load = 0;
  readonly ready: Promise<void>;
  readonly claims: Claims;
  readonly roster: Roster<WorkerLink>;
  readonly counts = { sent: 0, repeated: 0, passedOn: 0, lost: 0 };

  readonly #mailbox: Mailbox;
  readonly #ready = Promise.withResolvers<void>();
  readonly #beat = new Wakeup(() => this.#say("caller"), { idle: true });
  readonly #expiry = new Wakeup((now) => this.#expire(now), { idle: true, patient: true });
  /** Runs, and keeps the process running, while requests are under way. */
  readonly #look = new Wakeup((now) => this.#lookAround(now));
  readonly #stalled = new Set<string>();
  #lostWorkers = 0;
  #lastKey = 0;
  #state: "open" | "closed" = "open";

  /** Asks who is there. */
  constructor(
    backplane: Backplane,
    readonly group: string,
    readonly options: ResolvedGroupOptions,
  ) {
    this.roster = new Roster(options);
    this.claims = new Claims(this);
    this.ready = this.#ready.promise;
    this.#mailbox = new Mailbox(backplane, group, "caller", this);
    this.#say("ask");
  }

  get name(): string {
    return this.group;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get workers(): KnownWorker[] {
    return Array.from(this.roster.workers, (known) => ({
      id: known.id,
      methods: [...known.methods],
      load: known.load,
      capacity: known.capacity,
      requests: known.requests,
      state: known.state === "leaving" ? "leaving" : this.isStalled(known) ? "stalled" : "ready",
    }));
  }

  get stats(): GroupStats {
    return {
      ...this.counts,
      outstanding: this.claims.underWay,
      waiting: this.claims.waiting,
      lostWorkers: this.#lostWorkers,
      refused: this.roster.refused,
      foreign: this.#mailbox.foreign,
    };
  }

  request(method: string, params?: unknown, settings: GroupCallSettings = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#check(method, settings);
      const { timeout } = settings;
      if (timeout !== undefined && timeout !== Infinity) checkDelay("timeout", timeout);
      settings.signal?.throwIfAborted();
      this.claims.claim(new GroupCall(this, method, params, settings, resolve, reject));
    });
  }

  stream(
    method: string,
    params?: unknown,
    settings: GroupCallSettings = {},
  ): AsyncIterableIterator<unknown, undefined> {
    this.#check(method, settings);
    return new GroupStream(this, method, params, settings);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const timer of [this.#beat, this.#expiry, this.#look]) timer.clear();
    this.claims.fail((method) => this.#closed(method));
    const closing: Promise<unknown>[] = [];
    for (const worker of this.roster.workers) {
      if (worker.link === undefined) continue;
      closing.push(worker.link.peer.close());
      if (this.isStalled(worker)) worker.link.lane.close(); // It would be waited for in vain.
    }
    await Promise.all(closing);
    this.#mailbox.say({ kind: "bye" });
    this.#mailbox.close();
    this.#ready.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  linkTo(worker: Worker): WorkerLink {
    if (worker.link === undefined) {
      const lane = this.#mailbox.open(worker.id);
      worker.link = new WorkerLink(lane, this.options);
      lane.progressed = () => this.#progressed(worker);
    }
    if (this.#look.due === Infinity) this.#lookLater();
    return worker.link;
  }

  released(worker: Worker): void {
    if (worker.state !== "leaving" || worker.requests > 0) return;
    worker.link?.peer.close();
    this.roster.delete(worker);
  }

  newKey(): string {
    return `${this.#mailbox.id}-${++this.#lastKey}`;
  }

  hasOther(method: string, refusedBy: ReadonlySet<string>): boolean {
    const fits = (worker: Worker) => !refusedBy.has(worker.id) && !this.isStalled(worker);
    return this.roster.choose(method, fits) !== undefined;
  }

  isStalled({ id }: Worker): boolean {
    return this.#stalled.has(id);
  }

  noticed(notice: Notice): void {
    if (this.#state === "closed") return;
    if (notice.kind === "worker") {
      const isNew = this.roster.take(notice, performance.now());
      this.#expiry.at(this.roster.expiresAt);
      if (!isNew) return;
      this.#ready.resolve();
      this.claims.next();
    } else if (notice.kind === "leave") {
      const worker = this.roster.leave(notice.id, notice.number);
      if (worker !== undefined) this.released(worker);
    }
  }

  heard(member: string, load: number): void {
    this.roster.heard(member, load, performance.now());
  }

  laneClosed(lane: Lane): void {
    this.#stalled.delete(lane.peer);
    const worker = this.roster.get(lane.peer);
    if (worker?.link?.lane === lane) worker.link = undefined;
  }

  failed(error: unknown): void {
    this.options.onError(error);
  }

  #check(method: string, { repeatable, items }: GroupCallSettings): void {
    if (this.#state === "closed") throw this.#closed(method);
    if (!fitsName(method)) {
      throw new TypeError(`Cannot request "${method.slice(0, 32)}…": its name is above 255 bytes`);
    }
    if (repeatable && items !== undefined) {
      throw new TypeError(`Cannot request ${method}: with items it cannot be repeatable`);
    }
  }

  #closed(method: string): ConnectionClosedError {
    return new ConnectionClosedError(
      `Cannot request ${method} of group ${this.group}: this end has left it`,
    );
  }

  #say(kind: "ask" | "caller"): void {
    this.#beat.at(performance.now() + this.options.heartbeatInterval);
    this.#mailbox.say({ kind });
  }

  #expire(now: number): void {
    const { leaseTimeout } = this.options;
    for (const worker of this.roster.expire(now)) {
      this.#lostWorkers++;
      this.#mailbox.lose(worker.id, new Error(`nothing came of it for ${leaseTimeout} ms`));
    }
    this.#expiry.at(this.roster.expiresAt);
  }

  #lookLater(): void {
    this.#look.at(performance.now() + this.options.acceptTimeout / LOOKS);
  }

  /** Looks for workers that do not take what they are sent. */
  #lookAround(now: number): void {
    for (const worker of this.roster.workers) {
      if (worker.link?.isStalled(this.options.acceptTimeout, now) !== true) continue;
      this.#stalled.add(worker.id);
      worker.link.moveUntaken();
    }
    if (this.claims.underWay > 0) this.#lookLater();
  }

  #progressed({ id }: Worker): void {
    if (this.#stalled.delete(id)) this.claims.next();
  }
}
