/** The sessions of a server, and what it still says for sessions that are over. */

import type { Connection } from "../connection.ts";
import type { SessionTransport } from "./transport.ts";

/** A session in the table. */
export interface Entry {
  readonly id: string;
  readonly session: SessionTransport;
  /** The address that it counts for. */
  readonly address: string | undefined;
  /** The last carrier of the session. It may be gone. */
  carrier: Connection<Uint8Array>;
}

/** Sessions by id and by address. */
export class SessionTable implements Iterable<Entry> {
  readonly #byId = new Map<string, Entry>();
  /** In the order in which they were opened. */
  readonly #byAddress = new Map<string, Set<Entry>>();

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#byId.values();
  }

  get(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  add(entry: Entry): void {
    const { id, address } = entry;
    this.#byId.set(id, entry);
    if (address === undefined) return;
    const others = this.#byAddress.get(address);
    if (others === undefined) this.#byAddress.set(address, new Set([entry]));
    else others.add(entry);
  }

  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    const { address } = entry;
    const others = address === undefined ? undefined : this.#byAddress.get(address);
    others?.delete(entry);
    if (others?.size === 0) this.#byAddress.delete(address!);
  }

  countOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  /** The oldest session of an address that has no carrier, and over which nothing was received. */
  unusedOf(address: string): SessionTransport | undefined {
    for (const { session } of this.#byAddress.get(address) ?? []) {
      if (!session.isAttached && session.progress === 0) return session;
    }
  }
}

/** The last frames of sessions that are over, for clients that may not know that. */
export class Tombstones {
  /** In the order in which they expire. */
  readonly #byId = new Map<string, { readonly lastWord: Uint8Array; readonly until: number }>();
  readonly #maxCount: number;
  readonly #time: number;

  /** Keeps at most `maxCount` of them, each for `time` milliseconds. */
  constructor(maxCount: number, time: number) {
    this.#maxCount = maxCount;
    this.#time = time;
  }

  get(id: string): Uint8Array | undefined {
    return this.#byId.get(id)?.lastWord;
  }

  /** Adds a last frame, if there is one, and drops those whose time is over. */
  add(id: string, lastWord: Uint8Array | undefined): void {
    const now = performance.now();
    for (const [old, { until }] of this.#byId) {
      if (until > now && this.#byId.size < this.#maxCount) break;
      this.#byId.delete(old);
    }
    if (lastWord !== undefined) this.#byId.set(id, { lastWord, until: now + this.#time });
  }

  clear(): void {
    this.#byId.clear();
  }
}
