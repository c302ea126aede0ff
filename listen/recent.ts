/** Values of the keys that were used lately. */

/** Limits of a {@linkcode Recent}. */
export interface RecentOptions {
  /** How many values are held at a time. An even number, at least 2. */
  readonly maxKeys: number;
  /** A key that was not used for this time may be forgotten, in milliseconds. */
  readonly maxAge: number;
}

/**
 * A value for each key, which is made when the key is first used. Keys that were not used for
 * `maxAge` are forgotten. If there are too many, the oldest ones are forgotten before that. There
 * are two generations of keys. Forgetting drops the older generation as a whole, so no call has to
 * go through the keys.
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

  /** How many values are held. A key that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value of a key. This call counts as a use of the key. */
  get(key: string): V {
    const { maxAge, maxKeys } = this.#options;
    if (this.#now() - this.#turnedAt >= maxAge) this.#turn();
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    // This comes before the turn, because the turn may drop the generation that the key is in.
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
