/** The names of newcomers. */

import type { Archive } from "../history/archive.ts";

const KEY = "guests";

/**
 * Numbers for newcomers, none twice. The archive keeps the last one under which something was said,
 * so that nobody comes back to another's words; not each one, which would be a write per connection.
 */
export class Guests {
  readonly #archive: Archive;
  #last: number;
  #kept: number;

  /** Goes on where the archive says. */
  constructor(archive: Archive) {
    this.#archive = archive;
    const kept = archive.get(KEY);
    // Made now, so that nobody can keep it from being kept by using up the settings.
    if (kept === undefined) archive.set(KEY, "0");
    const last = Number(kept ?? 0);
    this.#last = this.#kept = Number.isSafeInteger(last) && last > 0 ? last : 0;
  }

  /** A name that nobody had. */
  next(): string {
    return `guest-${++this.#last}`;
  }

  /** Somebody is about to say something under this name: if it is a number, it is kept first. */
  speaks(name: string): void {
    const number = Number(/^guest-(\d+)$/.exec(name)?.[1] ?? 0);
    if (number > this.#kept) this.#keep(number);
  }

  /** Keeps them all. */
  close(): void {
    if (this.#last > this.#kept) this.#keep(this.#last);
  }

  #keep(number: number): void {
    if (this.#archive.set(KEY, String(number))) this.#kept = number;
  }
}
