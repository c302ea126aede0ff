/** Remembers where a connection is counted. */

import type { ClosedListener } from "../connection/internal.ts";
import type { Admission, CountName, Limit } from "./admission.ts";

/**
 * The place of one connection in the counts of `Admission`. It is given free once, in the count
 * where the connection is then.
 */
export class Place implements ClosedListener {
  /** The address of the connection. */
  readonly hostname: string;
  readonly #admission: Admission;
  #state: CountName | "left";

  /** Makes the place of a connection that `admission.enter()` has let in and counted as `kind`. */
  constructor(admission: Admission, hostname: string, kind: CountName) {
    this.#admission = admission;
    this.hostname = hostname;
    this.#state = kind;
  }

  /**
   * Returns the limit that keeps this carrier out. There is none if the carrier replaces a
   * connection.
   */
  limit(replaced: Place | undefined): Limit | undefined {
    const isNeutral = replaced !== undefined && replaced.#state === "connections";
    return isNeutral ? undefined : this.#admission.full(this.hostname);
  }

  /**
   * Call it when the carrier has greeted. If it replaces another carrier, that one's place is given
   * free.
   */
  greeted(replaced: Place | undefined): void {
    replaced?.leave();
    if (this.#state !== "greeting") return;
    this.#state = "connections";
    this.#admission.greeted(this.hostname);
  }

  /** It is no carrier. Returns the limit that keeps it out, if there is one. */
  settled(): Limit | undefined {
    if (this.#state !== "greeting") return undefined;
    const limit = this.#admission.settled(this.hostname);
    if (limit === undefined) this.#state = "connections";
    return limit;
  }

  /** The connection has ended. */
  connectionClosed(): void {
    this.leave();
  }

  /** Call it when the connection has ended. */
  leave(): void {
    if (this.#state === "left") return;
    this.#admission.leave(this.hostname, this.#state);
    this.#state = "left";
  }
}
