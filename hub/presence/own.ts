/** This hub's own members: what changes, and all of them, cut into messages. */

import type { Directory } from "./directory.ts";
import { type Entry, type Gone, jsonBytes, memberId } from "./messages.ts";

/** What a message has beside its members, in bytes. */
const HEAD_BYTES = 512;

/** The members of this hub, by room. */
export class Own {
  /** How many changes there were so far. */
  version = 0;

  readonly #hub: string;
  readonly #directory: Directory;
  readonly #maxBytes: number;
  readonly #rooms = new Map<string, Map<number, Entry>>();
  #changes: (Entry | Gone)[] = [];

  /** Messages have at most `maxBytes`, unless one member alone has more. */
  constructor(hub: string, directory: Directory, maxBytes: number) {
    this.#hub = hub;
    this.#directory = directory;
    this.#maxBytes = maxBytes - HEAD_BYTES;
  }

  /** Whether there are changes that were not taken. */
  get hasChanged(): boolean {
    return this.#changes.length > 0;
  }

  /** Since when a connection is in a room; undefined if it is not there. */
  since(room: string, connection: number): number | undefined {
    return this.#rooms.get(room)?.get(connection)?.[2];
  }

  /** A connection is in a room, new or with other data. */
  put(entry: Entry): void {
    const [room, connection, since, data] = entry;
    const members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, new Map([[connection, entry]]));
    else members.set(connection, entry);
    this.#changes.push(entry);
    this.#directory.put(room, {
      id: memberId(this.#hub, connection),
      hub: this.#hub,
      data,
      since,
    });
  }

  /** A connection has left a room. Returns false if it was not there. */
  delete(room: string, connection: number): boolean {
    const members = this.#rooms.get(room);
    if (!members?.delete(connection)) return false;
    if (members.size === 0) this.#rooms.delete(room);
    this.#changes.push([room, connection]);
    this.#directory.delete(room, memberId(this.#hub, connection));
    return true;
  }

  /** Takes the changes since the last time, in as many lists as there must be messages. */
  *takeChanges(): Iterable<{ from: number; version: number; changes: (Entry | Gone)[] }> {
    const all = this.#changes;
    this.#changes = [];
    for (const changes of inPieces(all, this.#maxBytes)) {
      const from = this.version;
      this.version += changes.length;
      yield { from, version: this.version, changes };
    }
  }

  /** All members as of now, in as many lists as there must be messages: at least one. */
  state(): Iterator<Entry[]> {
    // The members as of now, also for what is cut later.
    const all = [...this.#rooms.values()].flatMap((members) => [...members.values()]);
    return all.length === 0 ? [[]].values() : inPieces(all, this.#maxBytes);
  }
}

function* inPieces<T extends readonly unknown[]>(items: Iterable<T>, maxBytes: number) {
  let piece: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = jsonBytes(item) + 1;
    if (bytes + more > maxBytes && piece.length > 0) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(item);
    bytes += more;
  }
  if (piece.length > 0) yield piece;
}
