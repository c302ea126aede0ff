/** Does what the log says to the chat of this server: the same, in the same order, as at all others. */

import type { Deed, Stamp } from "../engine/deeds.ts";
import { type Member, Person } from "../engine/member.ts";
import type { ChatParts } from "../engine/order.ts";
import type { Item, PersonRecord } from "./items.ts";
import { BLOCK } from "./guest_block.ts";
import { restore, type Snapshot, writeSnapshot } from "./snapshot.ts";
import { Servers } from "./servers.ts";

/** Who is told what concerns this server alone. */
export interface ReplicaOwner {
  /** The name of this server in the log. */
  home(): string;
  /** A block of names for newcomers belongs to this server. */
  gotGuests(last: number): void;
  /** A server has come, or is gone. */
  serverChanged(home: string, change: "came" | "left"): void;
}

/** The state of the chat, as far as the log was read. */
export class Replica {
  readonly servers = new Servers();
  /** The last number that was given to a newcomer, or to a server for its newcomers. */
  guests = 0;
  readonly #chat: ChatParts;
  readonly #owner: ReplicaOwner;

  constructor(chat: ChatParts, owner: ReplicaOwner) {
    this.#chat = chat;
    this.#owner = owner;
  }

  /** Begins with a state that was written down. */
  restore({ servers, gone, guests, rooms, people, once }: Snapshot): void {
    const { state } = this.#chat;
    for (const home of gone) this.servers.remove(home);
    for (const [home, number] of servers) this.servers.add(home, number);
    this.guests = guests;
    for (const [name, lastId] of rooms) this.#room(name).lastId = lastId;
    for (const { home, ...record } of people) {
      const person = this.#make(home, record);
      restore(state, person, record);
      state.add(person);
    }
    for (const [ref, id, room] of once) state.once.add(ref, { id, room });
    state.roomsChanged = true;
  }

  /** Writes down the state. */
  write(settings: Iterable<readonly [key: string, value: string]>): string {
    const { servers, guests } = this;
    const rest = { servers: servers.numbers, gone: servers.gone, guests, settings: [...settings] };
    return writeSnapshot(this.#chat.state, rest);
  }

  /** A server has come. */
  came(home: string): void {
    this.#owner.serverChanged(home, "came");
  }

  /** Does one deed of a server. */
  happen(item: Item, home: string, stamp: Stamp): void {
    switch (item.do) {
      case "up":
        return this.#giveGuests(home);
      case "nothing":
        return;
      case "guests":
        return this.#giveGuests(home);
      case "gone":
        return this.#gone(item.server, stamp);
      case "back":
        return this.#back(item, home, stamp);
      case "come": {
        const person = this.#member(home, item.who) ??
          this.#make(home, { ...item, room: this.#chat.state.rooms.lobby.name });
        if (this.#chat.state.find(item.name) !== undefined) person.name = this.#guestName();
        return this.#chat.doing.happen({ do: "come", who: person }, stamp);
      }
    }
    const deed = this.#deedOf(item, home);
    if (deed !== undefined) this.#chat.doing.happen(deed, stamp);
  }

  #giveGuests(home: string): void {
    const last = this.guests;
    this.guests += BLOCK;
    if (home === this.#owner.home()) this.#owner.gotGuests(last);
  }

  /** The deed with the people in it; undefined if who does it is not there any more. */
  #deedOf(
    item: Exclude<Item, { do: "up" | "nothing" | "guests" | "gone" | "back" | "come" }>,
    home: string,
  ): Deed | undefined {
    const { byId } = this.#chat.state;
    const who = byId.get(`${home}:${item.who}`);
    if (who === undefined) return undefined;
    switch (item.do) {
      case "key":
        who.keyHash = item.key;
        return { do: "key", who };
      case "name": {
        const over = byId.get(item.other ?? "");
        return { do: "name", who, name: item.name, ...(over === undefined ? {} : { over }) };
      }
      case "ban":
        return { do: "ban", who, name: item.name, whom: byId.get(item.other ?? "") };
      case "tell":
        return { ...item, who, to: byId.get(item.other ?? "") };
      case "kick":
        return { ...item, who, whom: byId.get(item.other ?? ""), reason: item.text };
      default:
        return { ...item, who };
    }
  }

  #gone(home: string, stamp: Stamp): void {
    if (!this.servers.remove(home)) return;
    const { state, doing } = this.#chat;
    const isOurs = home === this.#owner.home();
    this.#owner.serverChanged(home, "left");
    for (const person of [...state.members]) {
      // Who is connected here sees that nobody has left.
      if (person.home === home) doing.remove(person, stamp, !isOurs);
    }
  }

  /** Somebody was there before its server was taken for gone. The older claim to a name counts. */
  #back(record: PersonRecord, home: string, stamp: Stamp): void {
    const { state, audience, doing } = this.#chat;
    const ours = this.#member(home, record.who);
    const person = ours ?? this.#make(home, record);
    const before = person.name;
    person.name = record.name;
    for (let holder; (holder = state.find(person.name)) !== undefined;) {
      const isOlder = record.named < holder.named;
      const loser = isOlder ? holder : person;
      const name = this.#guestName();
      if (isOlder) doing.rename(holder, name, stamp);
      else person.name = name;
      const text = `You are ${name} now: ${record.name} belongs to somebody who had it before.`;
      audience.notice(loser, "name-lost", text, { name });
    }
    restore(state, person, record);
    if (person.name !== record.name) person.named = stamp.id;
    person.room = this.#room(record.room);
    state.add(person);
    if (ours === undefined) return doing.settle(person, stamp);
    if (person.name !== before) {
      const { time } = stamp;
      audience.room(person.room, { type: "nick", from: before, to: person.name, time });
    }
  }

  /** The member of this server with a number, if it is one of this server. */
  #member(home: string, number: number): Member | undefined {
    return home === this.#owner.home() ? this.#chat.connected.get(number) : undefined;
  }

  #make(
    home: string,
    { who: number, name, room, host }: Pick<PersonRecord, "who" | "name" | "room" | "host">,
  ): Person {
    return new Person({ home, number, name, room: this.#room(room), host });
  }

  #room(name: string) {
    const { rooms } = this.#chat.state;
    return rooms.find(name) ?? rooms.open(name);
  }

  #guestName(): string {
    return `guest-${++this.guests}`;
  }
}
