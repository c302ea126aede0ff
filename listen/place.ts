/** Where a connection is counted. */

import type { Admission, CountName, Limit } from "./admission.ts";

/** The place of one connection that was let in: it is left once, wherever it is by then. */
export class Place {
  /** The address that it counts for. */
  readonly hostname: string;
  readonly #admission: Admission;
  #state: CountName | "left";

  /** Of a connection that `admission.enter()` has let in as such. */
  constructor(admission: Admission, hostname: string, kind: CountName) {
    this.#admission = admission;
    this.hostname = hostname;
    this.#state = kind;
  }

  /** Names the limit that keeps this carrier out, unless it takes another one's place. */
  limit(replaced: Place | undefined): Limit | undefined {
    const isNeutral = replaced !== undefined && replaced.#state === "connections";
    return isNeutral ? undefined : this.#admission.full(this.hostname);
  }

  /** The carrier has greeted, and another one is as good as gone. */
  greeted(replaced: Place | undefined): void {
    replaced?.leave();
    if (this.#state !== "greeting") return;
    this.#state = "connections";
    this.#admission.greeted(this.hostname);
  }

  /** The connection has ended. */
  leave(): void {
    if (this.#state === "left") return;
    this.#admission.leave(this.hostname, this.#state);
    this.#state = "left";
  }
}
