/** Datagrams that have arrived and wait to be read. */

import { Deque } from "@std/data-structures";
import type { Framing } from "../../codec.ts";
import type { TransportAbilities } from "../../transport.ts";

/** How much the waiting datagrams of one peer may cost, in bytes. */
const MAX_PEER_COST = 1024 * 1024;
/** How much they may cost when those of all peers cost over `MAX_TOTAL_COST`: one large datagram. */
export const MIN_PEER_COST = 64 * 1024;
const MAX_TOTAL_COST = 64 * 1024 * 1024;
/** The additional cost of a datagram, so that many empty datagrams are limited, too. */
const DATAGRAM_COST = 256;
/** Up to this size a datagram is copied, because it comes in a block of 64 KiB. */
const MAX_COPIED_BYTES = 32 * 1024;

/** How much the mailboxes of one socket hold together. */
export interface Budget {
  /** Their bytes plus the additional cost of each datagram. */
  used: number;
}

/** A bounded queue for one peer. Datagrams that do not fit are dropped and counted. */
export class Mailbox {
  /** How many datagrams came while it was full. */
  dropped = 0;
  readonly #budget: Budget;
  readonly #datagrams = new Deque<Uint8Array>();
  #cost = 0;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #end: "open" | "ended" | { readonly error: unknown } = "open";

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Takes a datagram. Its block must not be used again. */
  put(datagram: Uint8Array, maxCost: number = MAX_PEER_COST): void {
    if (this.#end !== "open") return;
    const own = ownBytes(datagram);
    if (this.#reader !== undefined) {
      this.#reader.resolve(own);
      this.#reader = undefined;
      return;
    }
    const limit = this.#budget.used < MAX_TOTAL_COST ? maxCost : MIN_PEER_COST;
    const cost = costOf(own);
    if (this.#cost > 0 && this.#cost + cost > limit) {
      this.dropped++;
      return;
    }
    this.#datagrams.pushBack(own);
    this.#spend(cost);
  }

  /** The next datagram; undefined at the end. */
  read(): Promise<Uint8Array | undefined> {
    const datagram = this.#datagrams.popFront();
    if (datagram !== undefined) {
      this.#spend(-costOf(datagram));
      return Promise.resolve(datagram);
    }
    if (this.#end === "ended") return Promise.resolve(undefined);
    if (this.#end !== "open") return Promise.reject(this.#end.error);
    return (this.#reader = Promise.withResolvers()).promise;
  }

  /** Nothing more comes. After the datagrams that wait, reading gives the end, or fails. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = failure ?? "ended";
    if (failure === undefined) this.#reader?.resolve(undefined);
    else this.#reader?.reject(failure.error);
    this.#reader = undefined;
  }

  /** Ends, and drops the datagrams that wait. */
  close(): void {
    this.end();
    this.#datagrams.clear();
    this.#spend(-this.#cost);
  }

  #spend(cost: number): void {
    this.#cost += cost;
    this.#budget.used += cost;
  }
}

/** The abilities of a transport whose datagrams come through a mailbox. */
export function abilitiesOf(framing: Framing, mailbox: Mailbox): TransportAbilities {
  return {
    framing,
    tellsEnd: false,
    /** How many datagrams came while too many waited to be read. */
    get dropped() {
      return mailbox.dropped;
    },
  };
}

/** A plain array, because `node:dgram` gives a Buffer, whose `slice()` does not copy. */
function ownBytes(datagram: Uint8Array): Uint8Array {
  return datagram.length <= MAX_COPIED_BYTES
    ? new Uint8Array(datagram)
    : new Uint8Array(datagram.buffer, datagram.byteOffset, datagram.length);
}

function costOf(datagram: Uint8Array): number {
  return datagram.buffer.byteLength + DATAGRAM_COST;
}
