/** Rooms, or channels between hubs: who has subscribed here, and what is numbered. */

import { type Arrival, Arrivals } from "./arrivals.ts";
import { encodeName, type Envelope } from "./envelope.ts";
import { type Subjects, type Subscribed, Subscriptions } from "./subjects.ts";

/** So many names are known, with so many bytes in all. Those that were used least lately are forgotten. */
const MAX_NAMES = 100_000;
const MAX_NAMES_BYTES = 32 * 1024 * 1024;
/** What a name takes beside its characters, about. */
const NAME_BYTES = 200;

const NOBODY: ReadonlyMap<never, never> = new Map<never, never>();

/** What is known of a name that something was published to. */
export interface Known {
  readonly subject: string;
  /** The name, as it stands in envelopes. */
  readonly encodedName: Uint8Array;
  /** The number of the last message; 0 before the first one. */
  last: number;
}

/** The names of one kind. `L` is who subscribes, and `T` is what takes a message for it. */
export class Topics<L, T> {
  readonly #subjects: Subjects;
  readonly #subscriptions: Subscriptions;
  readonly #arrivals = new Arrivals();
  readonly #takers = new Map<string, Map<L, T>>();
  readonly #known = new Map<string, Known>();
  #knownBytes = 0;

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

  /** What is known of a name, to which something is published. */
  known(name: string): Known {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = { subject: this.subject(name), encodedName: encodeName(name), last: 0 };
      this.#knownBytes += bytesOf(name, known);
    } else this.#known.delete(name);
    this.#known.set(name, known);
    if (this.#isTooMuch) this.#forget();
    return known;
  }

  get #isTooMuch(): boolean {
    return this.#known.size > MAX_NAMES || this.#knownBytes > MAX_NAMES_BYTES;
  }

  #forget(): void {
    for (const [name, known] of this.#known) {
      if (!this.#isTooMuch) return;
      this.#known.delete(name);
      this.#knownBytes -= bytesOf(name, known);
    }
  }

  /** A message has come for a name that somebody here has subscribed to. */
  arrived({ publisher, room, number, previous }: Envelope): Arrival {
    return this.#arrivals.take(publisher, room, number, previous);
  }
}

function bytesOf(name: string, { encodedName }: Known): number {
  return NAME_BYTES + name.length * 2 + encodedName.length;
}
