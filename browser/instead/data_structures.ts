/** A queue in a page, in as few words as it may load. */

/** Items that are put in at the back and taken out at the front. */
export class Deque<T> implements Iterable<T> {
  #items: T[];
  /** Where the front is. */
  #at = 0;

  /** Begins with these items. */
  constructor(items: Iterable<T> = []) {
    this.#items = [...items];
  }

  /** How many items there are. */
  get length(): number {
    return this.#items.length - this.#at;
  }

  /** Whether there is none. */
  isEmpty(): boolean {
    return this.length === 0;
  }

  /** Adds an item at the back. Returns how many there are. */
  pushBack(item: T): number {
    this.#items.push(item);
    return this.length;
  }

  /** Adds an item at the front. Returns how many there are. */
  pushFront(item: T): number {
    this.#items.splice(0, this.#at, item);
    this.#at = 0;
    return this.length;
  }

  /** Takes the item at the front. What was taken is let go of when it is half of all. */
  popFront(): T | undefined {
    if (this.isEmpty()) return undefined;
    const item = this.#items[this.#at];
    this.#items[this.#at++] = undefined as T;
    if (this.#at * 2 >= this.#items.length) {
      this.#items.splice(0, this.#at);
      this.#at = 0;
    }
    return item;
  }

  /** Takes the item at the back. */
  popBack(): T | undefined {
    return this.isEmpty() ? undefined : this.#items.pop();
  }

  /** The item at the front. */
  peekFront(): T | undefined {
    return this.#items[this.#at];
  }

  /** The item at the back. */
  peekBack(): T | undefined {
    return this.isEmpty() ? undefined : this.#items.at(-1);
  }

  /** Takes the first item for which the predicate holds. */
  removeFirst(predicate: (item: T) => boolean): T | undefined {
    this.#items.splice(0, this.#at);
    this.#at = 0;
    const i = this.#items.findIndex(predicate);
    return i < 0 ? undefined : this.#items.splice(i, 1)[0];
  }

  /** Takes all items out. */
  clear(): void {
    this.#items = [];
    this.#at = 0;
  }

  /** All items, from the front on. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice(this.#at).values();
  }
}
