/** Datagrams that have arrived and wait to be read. */

import { Deque } from "@std/data-structures";
import type { Framing } from "../../codec.ts";
import type { TransportAbilities } from "../../transport.ts";

/** What one peer's datagrams may cost, in bytes. */
const MAX_PEER_COST = 1024 * 1024;
/** What they may cost when all peers' together cost more than `MAX_TOTAL_COST`: one large one. */
export const MIN_PEER_COST = 64 * 1024;
const MAX_TOTAL_COST = 64 * 1024 * 1024;
/** What a datagram costs beside its bytes, so that a flood of empty ones is bounded too. */
const DATAGRAM_COST = 256;
/** Up to here a copy is made, because the block that a datagram comes in has 64 KiB. */
const MAX_COPIED_BYTES = 32 * 1024;

/** What the mailboxes of one socket hold together. */
export interface Budget {
  /** Bytes, with what the datagrams cost beside them. */
  used: number;
}

/** A bounded queue for one peer. What does not fit is dropped and counted, as routers do it. */
export class Mailbox {
  /** Datagrams that came when it was full. */
  dropped = 0;
  readonly #budget: Budget;
  readonly #datagrams = new Deque<Uint8Array>();
  #cost = 0;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #end: "open" | "ended" | { readonly error: unknown } = "open";

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Takes a datagram, whose block is not used again. */
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

  /** Nothing more comes: after what is there, reading gives the end, or fails. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#end !== "open") return;
    this.#end = failure ?? "ended";
    if (failure === undefined) this.#reader?.resolve(undefined);
    else this.#reader?.reject(failure.error);
    this.#reader = undefined;
  }

  /** Ends, and lets go of what is there. */
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

/** What transports can do whose datagrams come by a mailbox. */
export function abilitiesOf(framing: Framing, mailbox: Mailbox): TransportAbilities {
  return {
    framing,
    tellsEnd: false,
    /** Datagrams that came while too many waited to be read. */
    get dropped() {
      return mailbox.dropped;
    },
  };
}

/** A plain array, since the `slice()` of what `node:dgram` gives does not copy. */
function ownBytes(datagram: Uint8Array): Uint8Array {
  return datagram.length <= MAX_COPIED_BYTES
    ? new Uint8Array(datagram)
    : new Uint8Array(datagram.buffer, datagram.byteOffset, datagram.length);
}

function costOf(datagram: Uint8Array): number {
  return datagram.buffer.byteLength + DATAGRAM_COST;
}
