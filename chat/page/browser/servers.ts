/**
 * The servers of the chat, and which one is tried next.
 *
 * @module
 */

/** The server that the page came from, and others that have the same chat. */
export class Servers {
  readonly #own: string;
  readonly #others: readonly string[];
  readonly #random: () => number;
  /** The others that were not tried yet in this round. */
  #left: string[] = [];

  /** Takes their endpoints. The page's own may be among the others. */
  constructor(own: string, others: readonly string[], random: () => number = Math.random) {
    this.#own = own;
    this.#others = others.filter((other) => other !== own);
    this.#random = random;
  }

  /** The endpoint to try. A round begins with the page's own, and has the others in any order. */
  next(): string {
    if (this.#left.length === 0) {
      this.#left = [...this.#others];
      return this.#own;
    }
    const [next] = this.#left.splice(Math.floor(this.#random() * this.#left.length), 1);
    return next;
  }

  /** All but one. */
  except(endpoint: string): readonly string[] {
    return [this.#own, ...this.#others].filter((other) => other !== endpoint);
  }

  /** Begins a new round. */
  startAnew(): void {
    this.#left = [];
  }
}
