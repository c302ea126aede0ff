/** What happens in the chat: who is in it, in which room, under which name, and what is said. */

import type { Connection } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { Archive } from "../history/archive.ts";
import { Guests } from "../names/guests.ts";
import { memberNameProblem, NameIndex, roomNameProblem, shown } from "../names/names.ts";
import type { ChatSettings } from "../options.ts";
import { Audience } from "./audience.ts";
import { Bans, distinctHostOf } from "./bans.ts";
import type { SaidEvent } from "./events.ts";
import { Flood } from "./flood.ts";
import { Ignoring } from "./ignoring.ts";
import { Liveness } from "./liveness.ts";
import { Member, type Room } from "./member.ts";
import type { NoticeCode, NoticeFields } from "./notices.ts";
import { refusal } from "./refusals.ts";
import { Rooms } from "./rooms.ts";

/** How often the chat looks for silent members and tells the sizes of rooms, in milliseconds. */
const TICK = 1_000;

/** How many rooms one answer lists at most. */
const MAX_LISTED = 500;

/** The rules of the chat, without its commands. All methods work at once. None of them waits. */
export class Engine {
  readonly settings: ChatSettings;
  readonly archive: Archive;
  readonly audience: Audience;
  readonly rooms: Rooms;
  readonly bans: Bans;
  readonly ignoring: Ignoring = new Ignoring();
  readonly liveness: Liveness;
  readonly members: Set<Member> = new Set();
  /** Those who have come and not yet said a word: nobody has been told of them. */
  readonly #newcomers: Set<Member> = new Set();
  /** Messages said in rooms. */
  said = 0;
  readonly #names = new NameIndex<Member>();
  readonly #guests: Guests;
  #state: "open" | "closed" = "open";
  #roomsChanged = false;
  #stopTicking: (() => void) | undefined;

  constructor(settings: ChatSettings) {
    this.settings = settings;
    this.archive = new Archive(settings.history, settings.onError);
    this.audience = new Audience(() => this.now, settings.maxRooms);
    this.rooms = new Rooms(this.archive);
    this.bans = new Bans(this.archive);
    this.#guests = new Guests(this.archive);
    this.liveness = new Liveness({
      tick: TICK,
      pingInterval: settings.pingInterval,
      pongTimeout: settings.pongTimeout,
      ask: (member) => this.audience.tell(member, { type: "ping" }),
      isGone: (member) => this.#lose(member),
    });
  }

  /** The time, in milliseconds since 1970. */
  get now(): number {
    return this.settings.now().getTime();
  }

  /** The member with this name, or with a name that looks the same. */
  find(name: string): Member | undefined {
    return this.#names.find(name);
  }

  /**
   * Lets a newcomer into the lobby, where it hears everything. Returns undefined if it is turned
   * away. The others are told of the newcomer when it says a word, or after a while. Until then it
   * may be a probe, which only connects.
   */
  enter(connection: Connection<string>): Member | undefined {
    const room = this.rooms.lobby;
    const host = distinctHostOf(connection.remote);
    const problem = this.#problemOf(host);
    if (problem !== undefined) {
      const { text, closeCode } = refusal(problem);
      connection.offer(`* ${text}`);
      connection.close({ code: closeCode, reason: text });
    }
    if (problem !== undefined || connection.state !== "open") return undefined;
    let name: string;
    do name = this.#guests.next(); while (this.find(name) !== undefined);
    const { now } = this;
    const flood = new Flood(this.settings.flood, now);
    const member = new Member(connection, { name, room, host, flood, now });
    this.#newcomers.add(member);
    this.#stopTicking ??= this.settings.every(() => this.tick(), TICK);
    this.audience.add(member);
    const members = room.members.size + 1;
    this.audience.tell(member, { type: "welcome", name, room: room.name, time: now, members });
    this.#greet(member);
    if (this.settings.announceAfter === 0) this.announce(member);
    return member;
  }

  /** Makes a newcomer a member: the others are told. */
  announce(member: Member): void {
    if (member.state !== "new") return;
    member.state = "here";
    member.spokeAt = this.now;
    this.#newcomers.delete(member);
    this.members.add(member);
    this.#names.add(member.name, member);
    this.#settle(member);
  }

  /** Takes a member out of the chat. Does nothing if it has left already. */
  leave(member: Member): void {
    const { state } = member;
    if (state === "gone") return;
    member.state = "gone";
    this.liveness.forget(member);
    if (state === "new") {
      this.#newcomers.delete(member);
      this.audience.remove(member);
      this.#guests.giveBack(member.name);
    } else {
      this.members.delete(member);
      this.#names.remove(member.name, member);
      this.ignoring.forget(member);
      this.#depart(member);
    }
    if (this.members.size + this.#newcomers.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    this.audience.tick();
  }

  /** Takes a member out and closes its connection, with a last line that says why. */
  disconnect(member: Member, code: NoticeCode, reason: string, fields?: NoticeFields): void {
    if (member.state === "gone") return;
    this.audience.notice(member, code, reason, fields);
    this.leave(member);
    member.connection.close({ reason });
  }

  /**
   * Says something in the member's room. The message is first kept in the history, then told to
   * everyone.
   */
  say(member: Member, kind: SaidEvent["type"], text: string): void {
    const { name, room } = member;
    const time = this.now;
    this.#guests.speaks(name);
    const entry = this.archive.add({ room: room.archive, kind, name, text, time });
    if (entry === undefined) {
      const problem = "That was not said: the history cannot be written.";
      this.audience.notice(member, "not-said", problem);
      return;
    }
    this.said++;
    room.lastId = entry.id;
    this.#roomsChanged = true;
    member.spokeAt = time;
    if (member.silent) {
      member.silent = false;
      this.audience.crowd(room, { type: "silent", name, silent: false });
    }
    const event: SaidEvent = { type: kind, id: entry.id, room: room.name, name, text, time };
    this.audience.room(room, event, this.ignoring.of(name));
  }

  /** Moves a member to another room. Makes the room if there is none with this name. */
  move(member: Member, name: string): void {
    const { maxRooms, maxMembersPerRoom } = this.settings;
    const known = this.rooms.find(name);
    const refuse = (code: NoticeCode, problem: string) =>
      this.audience.notice(member, code, `Cannot join "${name}": ${problem}.`, { room: name });
    const problem = roomNameProblem(name);
    if (problem !== undefined) return refuse("room-invalid", problem);
    if (known === undefined && this.rooms.size >= maxRooms) {
      return refuse("rooms-full", `there are ${this.rooms.size} rooms already`);
    }
    if ((known?.members.size ?? 0) >= maxMembersPerRoom && known !== member.room) {
      return refuse("room-full", "it is full");
    }
    if (known === member.room) {
      const text = `You are in ${known.name} already.`;
      return this.audience.notice(member, "room-already", text, { room: known.name });
    }
    const room = known ?? this.rooms.open(name);
    this.#depart(member);
    member.room = room;
    member.silent = false;
    member.spokeAt = this.now;
    this.#arrive(member, room, () => {
      const members = room.members.size;
      this.audience.tell(member, { type: "room", name: room.name, topic: room.topic, members });
      if (member.style === "json") this.audience.who(member);
    });
  }

  /** Gives a member another name, if it is free. */
  rename(member: Member, name: string): void {
    const holder = this.#names.find(name, member);
    const refuse = (code: NoticeCode, problem: string) =>
      this.audience.notice(member, code, `Cannot use the name "${name}": ${problem}.`, { name });
    const problem = memberNameProblem(name);
    if (problem !== undefined) return refuse("name-invalid", problem);
    if (this.bans.hasName(name)) return refuse("name-banned", "it is banned");
    if (holder !== undefined) return refuse("name-taken", `${holder.name} is here`);
    const from = member.name;
    this.#names.remove(from, member);
    member.name = shown(name);
    this.#names.add(member.name, member);
    this.ignoring.follow(from, member.name);
    this.audience.room(member.room, { type: "nick", from, to: member.name, time: this.now });
  }

  /** From now on the member gets JSON. First it gets the present state of the chat. */
  speakJson(member: Member): void {
    this.audience.remove(member);
    member.style = "json";
    this.audience.add(member);
    const { name, room } = member;
    const members = room.members.size;
    this.audience.tell(member, { type: "welcome", name, room: room.name, time: this.now, members });
    this.audience.who(member);
    this.tellRooms(member);
    this.tellHistory(member, this.settings.greeting);
  }

  /** Notes that the rooms have changed, and that programs must be told. */
  roomsChanged(): void {
    this.#roomsChanged = true;
  }

  /** Tells a member the list of rooms. */
  tellRooms(member: Member): void {
    this.audience.tell(member, this.#roomsEvent());
  }

  /**
   * Tells a member what was said in its room, without the messages of those whom it ignores. If the
   * member has asked for this, it is also told how to ask for earlier messages.
   */
  tellHistory(
    member: Member,
    count: number,
    { isAsked = false, before }: { isAsked?: boolean; before?: number } = {},
  ): void {
    const { room } = member;
    const found = this.archive.last(room, count + 1, before);
    if (found === undefined) {
      this.audience.notice(member, "history-failed", "The history cannot be read.");
      return;
    }
    const more = found.length > count;
    const last = found.slice(more ? 1 : 0);
    const messages = this.ignoring.filter(member, last);
    const first = more && isAsked ? last[0]?.id : undefined;
    const next = first === undefined ? {} : { next: `/history ${count} before ${first}` };
    this.audience.tell(member, { type: "history", room: room.name, messages, more, ...next });
  }

  /** Runs once a second while the chat has members. */
  tick(): void {
    const { now, settings: { announceAfter } } = this;
    for (const member of this.#newcomers) {
      if (member.canBeSeenToStay && now - member.spokeAt >= announceAfter) this.announce(member);
    }
    for (const member of this.members) {
      if (member.silent || now - member.spokeAt < this.settings.silentAfter) continue;
      member.silent = true;
      this.audience.crowd(member.room, { type: "silent", name: member.name, silent: true });
    }
    this.liveness.tick(now);
    this.audience.tick();
    if (this.#roomsChanged && this.audience.hasPrograms) {
      this.audience.all(this.#roomsEvent(), ["json"]);
    }
    this.#roomsChanged = false;
  }

  /** Ends the chat for all members. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#guests.close();
    for (const member of [...this.#newcomers, ...this.members]) {
      this.disconnect(member, "closing", "The chat is closing.");
    }
  }

  /** Why a newcomer from this address may not join now, or undefined if it may. */
  #problemOf(host: string | undefined) {
    if (this.#state === "closed") return "closed";
    if (this.bans.hasHost(host)) return "banned";
    const inLobby = this.rooms.lobby.members.size + this.#newcomers.size;
    if (inLobby >= this.settings.maxMembersPerRoom) return "full";
  }

  /** Takes a member out whose network is gone: its connection is lost, although it does not say so. */
  #lose(member: Member): void {
    const { connection } = member;
    const { pongTimeout } = this.settings;
    this.leave(member);
    connection.abort(
      new ConnectionLostError(
        `Cannot receive from ${connection.remote}: it did not answer the chat's ping within ` +
          `${pongTimeout} ms (chat.pongTimeout)`,
      ),
    );
  }

  /** Puts a member into a room. First the member is told, then the others. */
  #arrive(member: Member, room: Room, tellWhere: () => void): void {
    room.members.add(member);
    this.audience.add(member);
    tellWhere();
    this.#greet(member);
    this.#settle(member);
  }

  /** Counts a member in its room, and tells the others. */
  #settle(member: Member): void {
    const { name, room } = member;
    room.members.add(member);
    this.#roomsChanged = true;
    const members = room.members.size;
    const event = { type: "join", room: room.name, name, members, time: this.now } as const;
    this.audience.crowd(room, event, member);
  }

  /** Shows a newcomer what was said last. A person is shown this only if there is anything. */
  #greet(member: Member): void {
    const { greeting } = this.settings;
    if (member.style === "json") this.tellHistory(member, greeting);
    else if (
      member.room.lastId > 0 && greeting > 0 && this.archive.last(member.room, 1)?.length !== 0
    ) {
      this.tellHistory(member, greeting);
    }
  }

  #depart(member: Member): void {
    const { name, room } = member;
    this.audience.remove(member);
    room.members.delete(member);
    this.#roomsChanged = true;
    const members = room.members.size;
    const event = { type: "leave", room: room.name, name, members, time: this.now } as const;
    this.audience.crowd(room, event);
    this.rooms.prune(room);
  }

  #roomsEvent() {
    const rooms = this.rooms.list(MAX_LISTED);
    const more = this.rooms.size - rooms.length;
    return { type: "rooms" as const, rooms, ...(more > 0 ? { more } : {}) };
  }
}
