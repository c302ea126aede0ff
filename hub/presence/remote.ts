/** Another hub and its members, as far as this one has heard of them. */

import type { Directory } from "./directory.ts";
import { type Entry, type Gone, jsonBytes, memberId, type PresenceMessage } from "./messages.ts";
import type { ResolvedPresenceOptions } from "./types.ts";

type Change = Extract<PresenceMessage, { kind: "change" }>;
type State = Extract<PresenceMessage, { kind: "state" }>;

/** So many changes are kept until the state that they build on has come. It would bring later ones, too. */
const MAX_LATER = 1_000;

/** A state that comes in parts. */
interface Transfer {
  readonly number: number;
  readonly version: number;
  readonly members: Entry[];
  parts: number;
}

/** Applies the changes of one hub in order. After a gap it waits for the hub's whole state. */
export class Remote {
  /** When something of it came last. */
  heard: number;
  /** The number of its last message. */
  last = 0;
  /** When it was asked for its state, or the last part of it came. */
  asked = -Infinity;
  /** Members beyond a limit so far. */
  refused = 0;

  readonly #hub: string;
  readonly #directory: Directory;
  readonly #limits: Pick<ResolvedPresenceOptions, "maxMembers" | "maxDataBytes">;
  readonly #rooms = new Map<string, Set<number>>();
  /** What is known of it; undefined before anything is. */
  #version: number | undefined;
  /** What there is to know of it. */
  #newest = 0;
  #transfer: Transfer | undefined;
  #later: Change[] = [];

  /** It was heard for the first time. */
  constructor(
    hub: string,
    directory: Directory,
    limits: Pick<ResolvedPresenceOptions, "maxMembers" | "maxDataBytes">,
    now: number,
  ) {
    this.#hub = hub;
    this.#directory = directory;
    this.#limits = limits;
    this.heard = now;
  }

  /** Whether all is known that there is to know. */
  get isComplete(): boolean {
    return this.#version !== undefined && this.#version >= this.#newest;
  }

  /** It says which version its members have. */
  announced(version: number): void {
    this.#newest = Math.max(this.#newest, version);
    // A hub whose members never changed has none.
    if (version === 0) this.#version ??= 0;
  }

  /** Its members have changed. */
  changed(change: Change): void {
    this.#newest = Math.max(this.#newest, change.version);
    if (change.from === 0) this.#version ??= 0;
    if (this.#version === change.from) this.#apply(change);
    else if (this.#version === undefined || change.from > this.#version) {
      if (this.#later.length < MAX_LATER) this.#later.push(change);
    }
  }

  /** A part of its state has come. */
  took(state: State, now: number): void {
    const { transfer: number, part, isLast, version, members } = state;
    if (this.isComplete || version < (this.#version ?? 0)) return;
    if (part === 0 && number > (this.#transfer?.number ?? -1)) {
      this.#transfer = { number, version, members: [], parts: 0 };
    }
    const transfer = this.#transfer;
    // A part that is missing, or again, or of another time: the state will be asked for once more.
    if (transfer?.number !== number || transfer.parts !== part) return;
    transfer.parts++;
    this.asked = now;
    for (const member of members) {
      if (transfer.members.length < this.#limits.maxMembers) transfer.members.push(member);
      else this.refused++;
    }
    if (isLast) this.#replace(transfer);
  }

  /** It is gone, and all its members. */
  leave(): void {
    for (const [room, connections] of this.#rooms) {
      for (const connection of connections) {
        this.#directory.delete(room, memberId(this.#hub, connection));
      }
    }
    this.#rooms.clear();
  }

  /** All its members are known, as of one version. What differs from before is a change. */
  #replace({ members, version }: Transfer): void {
    const there = new Map<string, Set<number>>();
    for (const [room, connection] of members) {
      const connections = there.get(room);
      if (connections === undefined) there.set(room, new Set([connection]));
      else connections.add(connection);
    }
    for (const [room, connections] of this.#rooms) {
      for (const connection of connections) {
        if (!there.get(room)?.has(connection)) this.#delete([room, connection]);
      }
    }
    for (const member of members) this.#put(member);
    this.#transfer = undefined;
    this.#version = this.#newest = version;
    const later = this.#later;
    this.#later = [];
    for (const change of later) this.changed(change);
  }

  #apply({ changes, version }: Change): void {
    for (const change of changes) {
      if (change.length === 4) this.#put(change);
      else this.#delete(change);
    }
    this.#version = version;
  }

  #put([room, connection, since, data]: Entry): void {
    const member = { id: memberId(this.#hub, connection), hub: this.#hub, data, since };
    if (jsonBytes(data) > this.#limits.maxDataBytes || !this.#directory.put(room, member)) {
      this.refused++;
      return;
    }
    const connections = this.#rooms.get(room);
    if (connections === undefined) this.#rooms.set(room, new Set([connection]));
    else connections.add(connection);
  }

  #delete([room, connection]: Gone): void {
    const connections = this.#rooms.get(room);
    if (!connections?.delete(connection)) return;
    if (connections.size === 0) this.#rooms.delete(room);
    this.#directory.delete(room, memberId(this.#hub, connection));
  }
}
