/** Which workers there are and how busy they are, as one caller has heard. Without network and clock. */

import type { WorkerNotice } from "./notices.ts";

/** Of so many workers that have left the last number is remembered. The one that went first is forgotten. */
const MAX_GONE = 1_000;

/** A worker. `L` is what this caller has to it. */
export class Known<L> {
  /** The number of its last notice. */
  number = 0;
  methods: ReadonlySet<string> = new Set();
  capacity = 1;
  state: "there" | "leaving" = "there";
  /** How many requests of this caller are under way with it. */
  requests = 0;
  link: L | undefined;

  #load = 0;
  /** How many of them were this caller's, when it said so. */
  #ownThen = 0;

  /** It was heard for the first time. */
  constructor(readonly id: string, public heard: number) {}

  /** How many requests it has, as far as is known. */
  get load(): number {
    return Math.max(this.requests, this.#load + this.requests - this.#ownThen);
  }

  /** How busy it is: 1 if it works on as many as it can. */
  get busyness(): number {
    return this.load / this.capacity;
  }

  /** It has said how many it has. */
  reported(load: number): void {
    this.#load = load;
    this.#ownThen = this.requests;
  }
}

/** The workers of a group. Times are milliseconds of one clock that never goes back. */
export class Roster<L> {
  /** Workers beyond the limit so far. */
  refused = 0;
  /** When the first lease may end. */
  expiresAt = Infinity;

  readonly #leaseTimeout: number;
  readonly #maxWorkers: number;
  readonly #random: () => number;
  readonly #workers = new Map<string, Known<L>>();
  readonly #gone = new Map<string, number>();
  /** Who serves what. Made anew when somebody comes or goes. */
  #serving: Map<string, Known<L>[]> | undefined;

  /** `random` gives numbers from 0 to 1. */
  constructor(
    options: { readonly leaseTimeout: number; readonly maxWorkers: number },
    random: () => number = Math.random,
  ) {
    this.#leaseTimeout = options.leaseTimeout;
    this.#maxWorkers = options.maxWorkers;
    this.#random = random;
  }

  /** All that are known. */
  get workers(): Iterable<Known<L>> {
    return this.#workers.values();
  }

  /** A worker by its id. */
  get(id: string): Known<L> | undefined {
    return this.#workers.get(id);
  }

  /** A worker says that it is there. Returns whether it was not known, or serves other methods than before. */
  take({ id, number, methods, load, capacity }: WorkerNotice, now: number): boolean {
    const before = this.#workers.get(id);
    if (number <= (before?.number ?? this.#gone.get(id) ?? 0)) return false;
    if (before === undefined && this.#workers.size >= this.#maxWorkers) {
      this.refused++;
      return false;
    }
    const known = before ?? new Known<L>(id, now);
    if (before === undefined) this.#workers.set(id, known);
    this.#gone.delete(id);
    this.expiresAt = Math.min(this.expiresAt, now + this.#leaseTimeout);
    known.number = number;
    known.heard = now;
    known.capacity = capacity;
    known.reported(load);
    const isNew = before === undefined || methods.length !== known.methods.size ||
      !methods.every((method) => known.methods.has(method));
    if (!isNew) return false;
    known.methods = new Set(methods);
    this.#serving = undefined;
    return true;
  }

  /** A worker was heard otherwise. */
  heard(id: string, load: number, now: number): void {
    const known = this.#workers.get(id);
    if (known === undefined) return;
    known.heard = now;
    known.reported(load);
  }

  /** A worker takes no further requests. */
  leave(id: string, number: number): Known<L> | undefined {
    const known = this.#workers.get(id);
    if (known === undefined) {
      this.#remember(id, number);
      return undefined;
    }
    known.state = "leaving";
    known.number = Math.max(known.number, number);
    this.#serving = undefined;
    return known;
  }

  /** A worker is gone. */
  delete(known: Known<L>): void {
    if (!this.#workers.delete(known.id)) return;
    this.#remember(known.id, known.number);
    this.#serving = undefined;
  }

  /** The workers whose leases have ended. They are not known any more. */
  expire(now: number): Known<L>[] {
    const expired: Known<L>[] = [];
    this.expiresAt = Infinity;
    for (const known of [...this.#workers.values()]) {
      const at = known.heard + this.#leaseTimeout;
      if (at > now) this.expiresAt = Math.min(this.expiresAt, at);
      else {
        this.delete(known);
        expired.push(known);
      }
    }
    return expired;
  }

  /** Whether somebody serves a method. */
  serves(method: string): boolean {
    return this.#servers(method).length > 0;
  }

  /** Of two at random that serve a method and fit, the less busy one. */
  choose(method: string, fits: (known: Known<L>) => boolean): Known<L> | undefined {
    const all = this.#servers(method);
    const pair = this.#pair(all);
    // Mostly all fit, and nobody needs to be asked but these two.
    if (!pair.every(fits)) return lessBusy(this.#pair(all.filter(fits)));
    return lessBusy(pair);
  }

  #pair(all: readonly Known<L>[]): Known<L>[] {
    if (all.length <= 2) {
      return all.length === 2 && this.#random() < 0.5 ? [all[1], all[0]] : [...all];
    }
    const one = Math.floor(this.#random() * all.length);
    const other = Math.floor(this.#random() * (all.length - 1));
    return [all[one], all[other < one ? other : other + 1]];
  }

  #servers(method: string): readonly Known<L>[] {
    if (this.#serving === undefined) {
      this.#serving = new Map();
      for (const known of this.#workers.values()) {
        if (known.state !== "there") continue;
        for (const name of known.methods) {
          const servers = this.#serving.get(name);
          if (servers === undefined) this.#serving.set(name, [known]);
          else servers.push(known);
        }
      }
    }
    return this.#serving.get(method) ?? [];
  }

  #remember(id: string, number: number): void {
    this.#gone.delete(id);
    this.#gone.set(id, number);
    if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.keys().next().value!);
  }
}

function lessBusy<L>([one, other]: readonly Known<L>[]): Known<L> | undefined {
  return other === undefined || one.busyness <= other.busyness ? one : other;
}
