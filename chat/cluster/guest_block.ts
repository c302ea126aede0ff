/** The names of newcomers of one server, where no other server may give them. */

import type { GuestNames } from "../names/guests.ts";

/** How many numbers a server gets at a time. */
export const BLOCK = 10_000;
/** With fewer left it asks for more. */
const FEW = 5_000;

/** Numbers that belong to this server. None is given twice, except of newcomers that nobody was told of. */
export class GuestBlock implements GuestNames {
  readonly #wantMore: () => void;
  readonly #free: number[] = [];
  #next = 1;
  #end = 1;
  /** Blocks that were got, and not begun. */
  readonly #blocks: number[] = [];
  #isAsked = false;

  /** `wantMore` is called when few are left. */
  constructor(wantMore: () => void) {
    this.#wantMore = wantMore;
  }

  /** The server got a block that begins after this number. */
  add(last: number): void {
    this.#blocks.push(last + 1);
    this.#isAsked = false;
  }

  next(): string | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return `guest-${free}`;
    if (this.#next === this.#end) {
      const begin = this.#blocks.shift();
      if (begin === undefined) return undefined;
      this.#next = begin;
      this.#end = begin + BLOCK;
    }
    const number = this.#next++;
    if (this.#end - this.#next < FEW && this.#blocks.length === 0 && !this.#isAsked) {
      this.#isAsked = true;
      this.#wantMore();
    }
    return `guest-${number}`;
  }

  giveBack(name: string): void {
    // No more than have been given.
    this.#free.push(Number(name.slice("guest-".length)));
  }

  /** The log has the numbers. */
  speaks(): void {}

  /** The log has the numbers. */
  close(): void {}
}
