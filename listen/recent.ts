/** What is known of keys that came lately. */

/** What bounds a {@linkcode Recent}. */
export interface RecentOptions {
  /** Values held at a time; even, at least 2. */
  readonly maxKeys: number;
  /** Time after which a key that has not come again may be forgotten, in milliseconds. */
  readonly maxAge: number;
}

/**
 * Values of keys, made when a key first comes. Forgets those that have not come for `maxAge`, and
 * the oldest before that when there are too many. There are two generations: forgetting drops the
 * older one whole, so that no call looks through the keys.
 */
export class Recent<V extends object> {
  readonly #options: RecentOptions;
  readonly #make: () => V;
  readonly #now: () => number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #turnedAt: number;

  /** Begins empty. `now` is the clock, in milliseconds. */
  constructor(options: RecentOptions, make: () => V, now: () => number) {
    this.#options = options;
    this.#make = make;
    this.#now = now;
    this.#turnedAt = now();
  }

  /** How many values are held; a key that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value of a key, which has come by this. */
  get(key: string): V {
    const { maxAge, maxKeys } = this.#options;
    if (this.#now() - this.#turnedAt >= maxAge) this.#turn();
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    // Before the turn, which may drop the generation that the key is in.
    const value = this.#old.get(key) ?? this.#make();
    if (this.#young.size >= maxKeys / 2) this.#turn();
    this.#young.set(key, value);
    return value;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnedAt = this.#now();
  }
}
