/** Who is in which room, of all hubs, as this hub knows it. */

import type { PresenceChange, PresenceMember, ResolvedPresenceOptions } from "./types.ts";
import { Watcher } from "./watcher.ts";

interface Room {
  readonly members: Map<string, PresenceMember>;
  readonly watchers: Set<Watcher>;
}

const NOBODY: ReadonlyMap<string, never> = new Map<string, never>();

/** The members of all rooms, and who reads their changes. A room is kept while it has one of both. */
export class Directory {
  readonly #rooms = new Map<string, Room>();
  readonly #limits: Pick<ResolvedPresenceOptions, "maxMembers" | "maxMembersPerRoom">;
  #size = 0;
  #state: "open" | "closed" = "open";

  /** Nobody is anywhere. */
  constructor(limits: Pick<ResolvedPresenceOptions, "maxMembers" | "maxMembersPerRoom">) {
    this.#limits = limits;
  }

  /** How many members all rooms have. */
  get size(): number {
    return this.#size;
  }

  /** The members of a room, by their ids. */
  members(room: string): ReadonlyMap<string, PresenceMember> {
    return this.#rooms.get(room)?.members ?? NOBODY;
  }

  /** Why a room can have no further member; undefined if it can. */
  problem(room: string): string | undefined {
    const { maxMembers, maxMembersPerRoom } = this.#limits;
    const { size } = this.members(room);
    if (size >= maxMembersPerRoom) {
      return `${size} are present there, limit is ${maxMembersPerRoom}`;
    }
    return this.#size >= maxMembers
      ? `${this.#size} are present in all rooms, limit is ${maxMembers}`
      : undefined;
  }

  /** Somebody is in a room, new or with other data. Returns false if a limit does not allow it. */
  put(name: string, member: PresenceMember): boolean {
    const before = this.members(name).get(member.id);
    if (before === undefined && this.problem(name) !== undefined) return false;
    if (before !== undefined && isSame(before, member)) return true;
    const room = this.#room(name);
    room.members.set(member.id, member);
    if (before === undefined) this.#size++;
    tell(room, before === undefined ? "join" : "update", member);
    return true;
  }

  /** Somebody has left a room. */
  delete(name: string, id: string): void {
    const room = this.#rooms.get(name);
    const member = room?.members.get(id);
    if (room === undefined || member === undefined) return;
    room.members.delete(id);
    this.#size--;
    tell(room, "leave", member);
    this.#forget(name, room);
  }

  /** Reads the changes of a room, beginning with those who are there. */
  watch(name: string): Watcher {
    const watcher = new Watcher();
    if (this.#state === "closed") {
      watcher.end();
      return watcher;
    }
    const room = this.#room(name);
    room.watchers.add(watcher);
    for (const member of room.members.values()) watcher.add("join", member);
    return watcher;
  }

  /** Reads no further. */
  unwatch(name: string, watcher: Watcher): void {
    const room = this.#rooms.get(name);
    if (room?.watchers.delete(watcher)) this.#forget(name, room);
  }

  /** Forgets all. Readers get what waits for them, and then the end. */
  close(): void {
    this.#state = "closed";
    for (const { watchers } of this.#rooms.values()) {
      for (const watcher of watchers) watcher.end();
    }
    this.#rooms.clear();
    this.#size = 0;
  }

  #room(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      this.#rooms.set(name, room = { members: new Map(), watchers: new Set() });
    }
    return room;
  }

  #forget(name: string, { members, watchers }: Room): void {
    if (members.size === 0 && watchers.size === 0) this.#rooms.delete(name);
  }
}

function tell({ watchers }: Room, kind: PresenceChange["kind"], member: PresenceMember): void {
  for (const watcher of watchers) watcher.add(kind, member);
}

function isSame(one: PresenceMember, other: PresenceMember): boolean {
  return one.since === other.since && JSON.stringify(one.data) === JSON.stringify(other.data);
}
