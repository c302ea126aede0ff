/** Places for transfers. No connection can take all of them. */

import { fileError } from "./errors.ts";

/** The transfers of one connection in a directory. */
export interface Guest {
  /** How many transfers it has. */
  transfers: number;
  /** How many bytes the files have that it is sending. */
  promised: number;
}

/** How many of all places, or bytes, one connection may have. */
export function shareOf(all: number): number {
  return Math.ceil(all / 2);
}

/** Counts the transfers of one directory. */
export class Places {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place, until the result is disposed of.
   *
   * @throws {RequestError} `busy`
   */
  enter(what: string, guest: Guest): Disposable {
    const share = shareOf(this.#most);
    if (this.#taken >= this.#most) {
      throw fileError("busy", what, `${this.#most} transfers are under way already`);
    }
    if (guest.transfers >= share) {
      throw fileError("busy", what, `${share} transfers of one connection are under way already`);
    }
    this.#taken++;
    guest.transfers++;
    return {
      [Symbol.dispose]: () => {
        this.#taken--;
        guest.transfers--;
      },
    };
  }
}
