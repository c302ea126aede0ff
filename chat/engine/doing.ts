/** What happens when a deed's turn has come: what it changes, and who is told. */

import { shown } from "../names/names.ts";
import type { Audience } from "./audience.ts";
import type { Deed, SayDeed, Stamp } from "./deeds.ts";
import { counted, type SaidEvent } from "./events.ts";
import { MAX_IGNORED } from "./ignoring.ts";
import { Member, type Person, type Room } from "./member.ts";
import { notice, type NoticeCode, type NoticeFields } from "./notices.ts";
import type { State } from "./state.ts";
import { whyNotName } from "./why_not.ts";

/** What is done beside the state: with the connections of this server, and its clock. */
export interface Surroundings {
  /** The time, in milliseconds since 1970. */
  now(): number;
  /** A member with this name will say something. */
  speaks(name: string): void;
  /** A member of this server is in its room now. It is told where it is, and what was said. */
  arrived(member: Member): void;
  /** A member of this server is not one any more. */
  part(member: Member): void;
}

/** Does deeds, one after the other. What cannot be done is told to who wanted it. */
export class Doing {
  readonly #state: State;
  readonly #audience: Audience;
  readonly #around: Surroundings;

  constructor(state: State, audience: Audience, around: Surroundings) {
    this.#state = state;
    this.#audience = audience;
    this.#around = around;
  }

  /** Does one. */
  happen(deed: Deed, stamp?: Stamp): void {
    const { who } = deed;
    switch (deed.do) {
      case "come":
        return this.#come(who, stamp);
      case "go":
        return this.remove(who, stamp);
      case "say":
        return this.#say(deed, stamp);
      case "move":
        return this.#move(who, deed.room, stamp);
      case "name":
        return this.#name(who, deed, stamp);
      case "key":
        return this.#key(who);
      case "topic":
        return this.#topic(who, deed.text);
      case "away":
        who.away = deed.text;
        return this.#audience.room(who.room, awayOf(who));
      case "silent":
        return this.#silent(who);
      case "tell":
        return this.#tell(deed, stamp);
      case "ignore":
        return this.#ignore(who, deed.name);
      case "unignore":
        return this.#unignore(who, deed.name);
      case "operate": {
        who.operator = true;
        const text = "You are an operator. /help lists what you can do.";
        return this.#audience.notice(who, "operator", text);
      }
      case "kick":
        if (deed.whom === undefined) return this.#nobody(who, deed.name);
        return this.#throwOut(who, deed.whom, { how: "kicked", reason: deed.reason }, stamp);
      case "ban":
        return this.#ban(deed, stamp);
      case "unban":
        return this.#unban(who, deed.name);
      case "announce":
        return this.#audience.all(notice("announcement", `Announcement: ${deed.text}`));
    }
  }

  /** Takes somebody out of the chat. With `isTold` false, nobody is told. */
  remove(person: Person, stamp?: Stamp, isTold = true): void {
    if (!this.#state.members.has(person)) return;
    this.#state.remove(person);
    this.#depart(person, stamp, isTold);
  }

  /** Counts somebody in its room, and tells the others. */
  settle(person: Person, stamp?: Stamp): void {
    const { name, room } = person;
    room.members.add(person);
    this.#state.roomsChanged = true;
    const members = room.members.size;
    const event = {
      type: "join",
      room: room.name,
      name,
      members,
      time: this.#time(stamp),
    } as const;
    this.#audience.crowd(room, event, person);
  }

  #time(stamp: Stamp | undefined): number {
    return stamp?.time ?? this.#around.now();
  }

  #come(person: Person, stamp: Stamp | undefined): void {
    if (person instanceof Member && person.state !== "gone") {
      person.state = "here";
      person.spokeAt = this.#around.now();
    }
    person.named = stamp?.id ?? 0;
    this.#state.add(person);
    this.settle(person, stamp);
  }

  /** The message is first kept in the history, then told to everyone. */
  #say({ who, kind, text, ref }: SayDeed, stamp: Stamp | undefined): void {
    const { name, room } = who;
    const { once, archive } = this.#state;
    const already = ref === undefined ? undefined : once.find(ref);
    if (already !== undefined) {
      const fields = { ref, ...already };
      return this.#audience.notice(who, "said-already", "That was said already.", fields);
    }
    const time = this.#time(stamp);
    this.#around.speaks(name);
    const entry = archive.add({ room: room.archive, kind, name, text, time }, stamp?.id);
    if (entry === undefined) {
      const problem = "That was not said: the history cannot be written.";
      return this.#audience.notice(who, "not-said", problem, ref === undefined ? {} : { ref });
    }
    const { id } = entry;
    if (ref !== undefined) once.add(ref, { id, room: room.name });
    this.#state.said++;
    room.lastId = id;
    this.#state.roomsChanged = true;
    this.#speaks(who);
    const said = { type: kind, id, room: room.name, name, text, time };
    const event: SaidEvent = ref === undefined ? said : { ...said, ref };
    this.tellSaid(room, event, stamp?.provisional);
  }

  /** Tells a room what was said, or that what was told already has its place now. */
  tellSaid(room: Room, event: SaidEvent, provisional?: string): void {
    const except = this.#state.ignoring.of(event.name);
    if (provisional === undefined) return this.#audience.room(room, event, except);
    const placed = { ...event, type: "placed", kind: event.type, provisional } as const;
    this.#audience.room(room, placed, except, ["json"]);
  }

  #speaks(person: Person): void {
    if (person instanceof Member) person.spokeAt = this.#around.now();
    if (!person.silent) return;
    person.silent = false;
    const { name, room } = person;
    this.#audience.crowd(room, { type: "silent", name, silent: false });
  }

  #move(person: Person, name: string, stamp: Stamp | undefined): void {
    const { rooms } = this.#state;
    const room = rooms.find(name) ?? rooms.open(name);
    if (room === person.room) return;
    this.#depart(person, stamp);
    person.room = room;
    person.silent = false;
    room.members.add(person);
    if (person instanceof Member && person.state !== "gone") {
      person.spokeAt = this.#around.now();
      this.#audience.add(person);
      this.#around.arrived(person);
    }
    this.settle(person, stamp);
  }

  #name(
    person: Person,
    { name, over }: { name: string; over?: Person },
    stamp: Stamp | undefined,
  ): void {
    const { names, bans, members } = this.#state;
    if (over !== undefined && over !== person && members.has(over)) {
      const text = `${over.name} was taken over by another connection, with its key.`;
      this.#disconnect(over, { code: "taken-over", text, fields: { name: over.name } }, stamp);
    }
    const no = whyNotName(bans, name, names.find(name, person));
    if (no !== undefined) return this.#audience.notice(person, no.code, no.text, no.fields);
    this.rename(person, shown(name), stamp);
  }

  /** Gives somebody another name, which must be free, and tells its room. */
  rename(person: Person, to: string, stamp?: Stamp): void {
    const from = person.name;
    this.#state.rename(person, to);
    person.named = stamp?.id ?? 0;
    this.#state.ignoring.follow(from, to);
    this.#audience.room(person.room, { type: "nick", from, to, time: this.#time(stamp) });
  }

  #key(person: Person): void {
    if (!(person instanceof Member)) return;
    const { name, key } = person;
    const text = `Your key is ${key}. If this connection is lost while you are ${name}, ` +
      `/claim ${name} ${key} gives the name to your next one.`;
    this.#audience.notice(person, "key", text, { name, key });
  }

  #topic(person: Person, text: string): void {
    const { room, name } = person;
    room.topic = text;
    this.#state.roomsChanged = true;
    this.#audience.room(room, { type: "topic", room: room.name, name, text });
    if (this.#state.archive.set(room.topicKey, text === "" ? undefined : text)) return;
    const problem = "The topic holds only until the room is empty.";
    this.#audience.notice(person, "topic-not-kept", problem, { room: room.name });
  }

  #silent(person: Person): void {
    if (person.silent) return;
    person.silent = true;
    this.#audience.crowd(person.room, { type: "silent", name: person.name, silent: true });
  }

  #tell(
    { who, name, to, text }: Deed & { do: "tell" },
    stamp: Stamp | undefined,
  ): void {
    if (to === undefined) return this.#nobody(who, name);
    if (this.#state.ignoring.has(to, who.name)) {
      const text = `${to.name} does not listen to you.`;
      return this.#audience.notice(who, "not-heard", text, { name: to.name });
    }
    const tell = { from: who.name, to: to.name, text, time: this.#time(stamp) };
    this.#audience.tell(who, { type: "tell", ...tell });
    if (to !== who) this.#audience.tell(to, { type: "tell", ...tell });
    if (to.away !== undefined) this.#audience.tell(who, awayOf(to));
  }

  #ignore(person: Person, name: string): void {
    if (!this.#state.ignoring.add(person, name)) {
      const text = `Cannot ignore ${name}: you ignore ${counted(MAX_IGNORED, "name")} already.`;
      const fields = { name, limit: MAX_IGNORED };
      return this.#audience.notice(person, "ignored-too-many", text, fields);
    }
    const text = `You ignore ${name}. /unignore ${name} ends that.`;
    this.#audience.notice(person, "ignoring", text, { name });
  }

  #unignore(person: Person, name: string): void {
    const [code, text] = this.#state.ignoring.remove(person, name)
      ? ["hearing-again" as const, `You hear ${name} again.`]
      : ["not-ignored" as const, `You do not ignore ${name}.`];
    this.#audience.notice(person, code, text, { name });
  }

  #ban({ who, name, whom }: Deed & { do: "ban" }, stamp: Stamp | undefined): void {
    const host = whom?.host;
    const banned = whom?.name ?? name;
    const isKept = this.#state.bans.add({ name: banned, ...(host === undefined ? {} : { host }) });
    const what = host === undefined ? "by name" : `by name and address ${host}`;
    const text = `${banned} is banned ${what}. /unban ${banned} ends that.`;
    this.#audience.notice(who, "ban-added", text, { name: banned });
    if (!isKept) {
      const text = "The ban ends when the server does.";
      this.#audience.notice(who, "ban-not-kept", text, { name: banned });
    }
    if (whom !== undefined) this.#throwOut(who, whom, { how: "banned", reason: "" }, stamp);
  }

  #unban(who: Person, name: string): void {
    const count = this.#state.bans.remove(name);
    const [code, text] = count > 0
      ? ["ban-ended" as const, `${counted(count, "ban")} of ${name} ended.`]
      : ["not-banned" as const, `${name} is not banned.`];
    this.#audience.notice(who, code, text, { name });
  }

  #nobody(who: Person, name: string): void {
    this.#audience.notice(who, "no-such-member", `Nobody here is called "${name}".`, { name });
  }

  #throwOut(
    by: Person,
    victim: Person,
    { how, reason }: { how: "kicked" | "banned"; reason: string },
    stamp: Stamp | undefined,
  ): void {
    const { name, room } = victim;
    const why = reason === "" ? "." : `: ${reason}`;
    const fields = { by: by.name, ...(reason === "" ? {} : { reason }) };
    const text = `You were ${how} by ${by.name}${why}`;
    this.#disconnect(victim, { code: how, text, fields }, stamp);
    const code = `member-${how}` as const;
    const told = { name, ...fields };
    this.#audience.room(room, notice(code, `${name} was ${how} by ${by.name}${why}`, told));
    if (by.room !== room && by !== victim) {
      this.#audience.notice(by, code, `${name} was ${how}${why}`, told);
    }
  }

  /** Takes somebody out. If it is a member of this server, it is told why, and its connection ends. */
  #disconnect(
    person: Person,
    { code, text, fields }: { code: NoticeCode; text: string; fields: NoticeFields },
    stamp: Stamp | undefined,
  ): void {
    const isOurs = person instanceof Member && person.state !== "gone";
    if (isOurs) {
      this.#audience.notice(person, code, text, fields);
      this.#around.part(person);
    }
    this.remove(person, stamp);
    if (isOurs) person.connection.close({ reason: text });
  }

  #depart(person: Person, stamp: Stamp | undefined, isTold = true): void {
    const { name, room } = person;
    if (person instanceof Member) this.#audience.remove(person);
    room.members.delete(person);
    this.#state.roomsChanged = true;
    const members = room.members.size;
    const event = {
      type: "leave",
      room: room.name,
      name,
      members,
      time: this.#time(stamp),
    } as const;
    if (isTold) this.#audience.crowd(room, event);
    this.#state.rooms.prune(room);
  }
}

function awayOf({ name, away }: Person) {
  return { type: "away" as const, name, ...(away === undefined ? {} : { text: away }) };
}
