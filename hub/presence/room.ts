/** Who is in one room, as programs see it. */

import type { Connection } from "../../connection.ts";
import type { Presences } from "./presences.ts";
import type { Presence, PresenceChange, PresenceMember } from "./types.ts";

/** One room of a hub's presence. It holds nothing itself. */
export class RoomPresence<D> implements Presence<D> {
  readonly #presences: Presences;

  /** The room with this name. */
  constructor(readonly room: string, presences: Presences) {
    this.#presences = presences;
  }

  get size(): number {
    return this.#members.size;
  }

  get ready(): Promise<void> {
    return this.#presences.ready;
  }

  get(member: string | Pick<Connection, "id">): PresenceMember<D> | undefined {
    return this.#members.get(
      typeof member === "string" ? member : this.#presences.idOf(member.id),
    );
  }

  track({ id }: Pick<Connection, "id">, data: D): boolean {
    const checked = this.#presences.check(this.room, id, data);
    if (!this.#presences.has(this.room, id)) return false;
    this.#presences.put(this.room, id, checked);
    return true;
  }

  async *changes(
    options: { signal?: AbortSignal } = {},
  ): AsyncIterableIterator<PresenceChange<D>> {
    const { signal } = options;
    const { directory } = this.#presences;
    const watcher = directory.watch(this.room);
    try {
      for (let change; (change = await watcher.next(signal)) !== undefined;) {
        yield change as PresenceChange<D>;
      }
    } finally {
      directory.unwatch(this.room, watcher);
    }
  }

  [Symbol.iterator](): IterableIterator<PresenceMember<D>> {
    return this.#members.values();
  }

  get #members(): ReadonlyMap<string, PresenceMember<D>> {
    return this.#presences.directory.members(this.room) as ReadonlyMap<string, PresenceMember<D>>;
  }
}
