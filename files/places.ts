/** Places for transfers, of which no connection takes all. */

import { fileError } from "./errors.ts";

/** What one connection has under way in a directory. */
export interface Guest {
  /** Its transfers. */
  transfers: number;
  /** Bytes of the files that it is sending. */
  promised: number;
}

/** What one connection may have of what there is for all. */
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

  /** Places that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place, until it is disposed of.
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
