/** What is so in the chat: who is there, in which room, under which name, and what was said. */

import { Archive } from "../history/archive.ts";
import { NameIndex } from "../names/names.ts";
import type { History } from "../history/history.ts";
import { Bans } from "./bans.ts";
import { Ignoring } from "./ignoring.ts";
import type { Person } from "./member.ts";
import { Once } from "./once.ts";
import { Rooms } from "./rooms.ts";

/** Only deeds change it. Where a chat has many servers, each of them has the same. */
export class State {
  readonly archive: Archive;
  readonly rooms: Rooms;
  readonly bans: Bans;
  readonly ignoring: Ignoring = new Ignoring();
  readonly once: Once = new Once();
  /** All members, also those of other servers, in the order in which they came. */
  readonly members: Set<Person> = new Set();
  readonly byId: Map<string, Person> = new Map();
  readonly names: NameIndex<Person> = new NameIndex<Person>();
  /** Messages said in rooms. */
  said = 0;
  /** Whether the list of rooms is another one than at the last tick. */
  roomsChanged = false;

  constructor(history: History, onError: (error: unknown) => void) {
    this.archive = new Archive(history, onError);
    this.rooms = new Rooms(this.archive);
    this.bans = new Bans(this.archive);
  }

  /** The member with this name, or with a name that looks the same. */
  find(name: string): Person | undefined {
    return this.names.find(name);
  }

  /** Puts somebody in. The name must be free. */
  add(person: Person): void {
    this.members.add(person);
    this.byId.set(person.id, person);
    this.names.add(person.name, person);
    person.room.members.add(person);
    this.roomsChanged = true;
  }

  /** Gives somebody another name, which must be free. */
  rename(person: Person, name: string): void {
    this.names.remove(person.name, person);
    person.name = name;
    this.names.add(name, person);
  }

  /** Takes somebody out, except of its room. */
  remove(person: Person): void {
    this.members.delete(person);
    this.byId.delete(person.id);
    this.names.remove(person.name, person);
    this.ignoring.forget(person);
  }
}
