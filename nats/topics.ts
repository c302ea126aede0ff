/** Rooms, or channels between hubs: who has subscribed here, and what is numbered. */

import { type Arrival, Arrivals } from "./arrivals.ts";
import type { Envelope } from "./envelope.ts";
import { type Subjects, type Subscribed, Subscriptions } from "./subjects.ts";

/** For how many names the last number is remembered. The name that was first is forgotten. */
const MAX_NAMES = 100_000;

const NOBODY: ReadonlyMap<never, never> = new Map<never, never>();

/** The names of one kind. `L` is who subscribes, and `T` is what takes a message for it. */
export class Topics<L, T> {
  readonly #subjects: Subjects;
  readonly #subscriptions: Subscriptions;
  readonly #arrivals = new Arrivals();
  readonly #takers = new Map<string, Map<L, T>>();
  /** The number of the last message that was published, by name. */
  readonly #last = new Map<string, number>();

  /** `subscribe` subscribes at the broker. */
  constructor(subjects: Subjects, subscribe: (subject: string) => Subscribed) {
    this.#subjects = subjects;
    this.#subscriptions = new Subscriptions(subjects, subscribe);
  }

  /** Subscriptions at the broker. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** The subject of a name. */
  subject(name: string): string {
    return this.#subjects.of(name).subject;
  }

  /** Who has subscribed to a name. */
  takers(name: string): ReadonlyMap<L, T> {
    return this.#takers.get(name) ?? NOBODY;
  }

  /** Somebody subscribes to a name. */
  subscribe(name: string, who: L, taker: T): void {
    const takers = this.#takers.get(name);
    if (takers !== undefined) {
      takers.set(who, taker);
      return;
    }
    this.#takers.set(name, new Map([[who, taker]]));
    this.#subscriptions.add(name);
  }

  /** Somebody does not want a name any more. */
  unsubscribe(name: string, who: L): void {
    const takers = this.#takers.get(name);
    if (takers === undefined || !takers.delete(who) || takers.size > 0) return;
    this.#takers.delete(name);
    this.#subscriptions.delete(name);
    this.#arrivals.forget(name);
  }

  /** The number of the last message to a name, or 0. */
  last(name: string): number {
    return this.#last.get(name) ?? 0;
  }

  /** A message to a name has this number. Returns its subject. */
  published(name: string, number: number): string {
    // A message that is dropped leaves a gap, which the next one tells.
    this.#last.delete(name);
    this.#last.set(name, number);
    if (this.#last.size > MAX_NAMES) this.#last.delete(this.#last.keys().next().value!);
    return this.#subjects.of(name).subject;
  }

  /** A message has come for a name that somebody here has subscribed to. */
  arrived({ publisher, room, number, previous }: Envelope): Arrival {
    return this.#arrivals.take(publisher, room, number, previous);
  }
}
