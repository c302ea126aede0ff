/** The rooms of a chat. */

import type { Archive } from "../history/archive.ts";
import { NameIndex } from "../names/names.ts";
import type { RoomInfo } from "./events.ts";
import { Room } from "./member.ts";

/** The room that everybody begins in. */
export const LOBBY = "lobby";

/** Rooms by name. An empty room is removed, except the lobby. Its messages stay in the archive. */
export class Rooms {
  readonly lobby: Room;
  readonly #archive: Archive;
  readonly #byName = new NameIndex<Room>();
  readonly #all = new Set<Room>();

  constructor(archive: Archive) {
    this.#archive = archive;
    this.lobby = this.open(LOBBY);
  }

  /** All rooms, oldest first. */
  get all(): Iterable<Room> {
    return this.#all;
  }

  get size(): number {
    return this.#all.size;
  }

  find(name: string): Room | undefined {
    return this.#byName.find(name);
  }

  /** Makes a room. Its name must be free. */
  open(name: string): Room {
    const room = new Room(name, this.#archive);
    this.#byName.add(room.name, room);
    this.#all.add(room);
    return room;
  }

  /** Forgets a room if nobody is in it. */
  prune(room: Room): void {
    if (room.members.size > 0 || room === this.lobby) return;
    this.#byName.remove(room.name, room);
    this.#all.delete(room);
  }

  /** The first rooms, oldest first. */
  list(count: number): RoomInfo[] {
    const list: RoomInfo[] = [];
    for (const room of this.#all) {
      if (list.length === count) break;
      list.push(room.info);
    }
    return list;
  }
}
