/** The names of newcomers. */

import type { Archive } from "../history/archive.ts";

const KEY = "guests";

/** Gives names to newcomers. */
export interface GuestNames {
  /** A name that nobody was seen with before; undefined if there is none now. */
  next(): string | undefined;
  /** Takes a name back that nobody was told of. */
  giveBack(name: string): void;
  /** Call it before a member says something. */
  speaks(name: string): void;
  /** The chat ends. */
  close(): void;
}

/**
 * Gives numbers to newcomers, and no number twice, except those of newcomers that left before
 * anybody was told of them. The archive keeps the last number whose guest said something, so that
 * no newcomer gets the name of an earlier guest's messages. It does not keep every number, because
 * that would be a write for each connection.
 */
export class Guests implements GuestNames {
  readonly #archive: Archive;
  #last: number;
  #kept: number;
  /** Numbers below the last one that nobody has, and nobody was seen with. */
  readonly #free = new Set<number>();

  /** Continues from the number in the archive. */
  constructor(archive: Archive) {
    this.#archive = archive;
    const kept = archive.get(KEY);
    // The setting is made now. Otherwise members could use up all settings, and the number could
    // not be kept any more.
    if (kept === undefined) archive.set(KEY, "0");
    const last = Number(kept ?? 0);
    this.#last = this.#kept = Number.isSafeInteger(last) && last > 0 ? last : 0;
  }

  /** A name that nobody was seen with before. */
  next(): string {
    const [free = this.#last + 1] = this.#free;
    if (!this.#free.delete(free)) this.#last = free;
    return `guest-${free}`;
  }

  /** Takes a name back that nobody was told of. */
  giveBack(name: string): void {
    this.#free.add(Number(name.slice("guest-".length)));
    while (this.#free.delete(this.#last)) this.#last--;
  }

  /** Call it before a member says something. If its name is a guest's, the number is kept first. */
  speaks(name: string): void {
    const number = Number(/^guest-(\d+)$/.exec(name)?.[1] ?? 0);
    if (number > this.#kept) this.#keep(number);
  }

  /** Keeps the last number that was given. */
  close(): void {
    if (this.#last > this.#kept) this.#keep(this.#last);
  }

  #keep(number: number): void {
    if (this.#archive.set(KEY, String(number))) this.#kept = number;
  }
}
