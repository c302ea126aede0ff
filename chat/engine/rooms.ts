/** The rooms that are there. */

import type { Archive } from "../history/archive.ts";
import { NameIndex, shown } from "../names/names.ts";
import type { RoomInfo, Style } from "./events.ts";
import type { Member } from "./member.ts";

/** Where everybody begins. */
export const LOBBY = "lobby";

let lastRoom = 0;

/** One room. */
export class Room {
  readonly name: string;
  /** What its messages and its topic are kept under: the name, whatever its case. */
  readonly archive: string;
  readonly members = new Set<Member>();
  topic: string;
  lastId: number;
  /** Lines about comings and goings that its members got since the last tick. */
  told = 0;
  /** What was too much to be told one by one. */
  untold = { joined: 0, left: 0, silent: 0 };
  readonly #number = ++lastRoom;

  constructor(name: string, archive: Archive) {
    this.name = shown(name);
    this.archive = this.name.normalize("NFKC").toLowerCase();
    this.topic = archive.get(this.topicKey) ?? "";
    this.lastId = archive.lastId(this.archive);
  }

  /** The key of the topic in the archive. */
  get topicKey(): string {
    return `topic ${this.archive}`;
  }

  /** The name of the hub's room with the members of one style. */
  channel(style: Style): string {
    return `${style} ${this.#number}`;
  }

  /** What `/rooms` shows of it. */
  get info(): RoomInfo {
    const { name, members, topic, lastId } = this;
    return { name, members: members.size, topic, last: lastId };
  }
}

/** Rooms by name. One that is empty vanishes, but for the lobby; its messages stay in the archive. */
export class Rooms {
  readonly lobby: Room;
  readonly #archive: Archive;
  readonly #byName = new NameIndex<Room>();
  readonly #all = new Set<Room>();

  constructor(archive: Archive) {
    this.#archive = archive;
    this.lobby = this.open(LOBBY);
  }

  get size(): number {
    return this.#all.size;
  }

  find(name: string): Room | undefined {
    return this.#byName.find(name);
  }

  /** Makes a room whose name is free. */
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
