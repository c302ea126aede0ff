/** The chat as its members use it: who comes, who goes, and what each of them asks for. */

import type { Connection } from "../../connection.ts";
import { ConnectionLostError } from "../../errors.ts";
import { type GuestNames, Guests } from "../names/guests.ts";
import type { ChatSettings } from "../options.ts";
import { Answers } from "./answers.ts";
import { Audience } from "./audience.ts";
import { distinctHostOf } from "./bans.ts";
import type { Deed } from "./deeds.ts";
import { Doing } from "./doing.ts";
import type { SaidEvent } from "./events.ts";
import { Flood } from "./flood.ts";
import { Liveness } from "./liveness.ts";
import { Member, type Person } from "./member.ts";
import type { NoticeCode, NoticeFields } from "./notices.ts";
import type { Order } from "./order.ts";
import { refusal } from "./refusals.ts";
import { State } from "./state.ts";
import { whyNotRoom } from "./why_not.ts";

/** How often the chat looks for silent members and tells the sizes of rooms, in milliseconds. */
const TICK = 1_000;

/**
 * The rules of the chat, without its commands. None of its methods waits. What changes the chat is
 * asked for here, and happens in `doing`: at once, or where the chat has many servers, when its turn
 * has come.
 */
export class Engine {
  readonly settings: ChatSettings;
  readonly state: State;
  readonly audience: Audience;
  readonly answers: Answers;
  readonly liveness: Liveness;
  readonly doing: Doing;
  /** Those who are connected to this server, by their numbers, in the order in which they came. */
  readonly connected: Map<number, Member> = new Map();
  /** Those of them who have not yet said a word: nobody has been told of them. */
  readonly #newcomers: Set<Member> = new Set();
  readonly #guests: GuestNames;
  readonly #order: Order;
  #state: "open" | "closed" = "open";
  #lastNumber = 0;
  #stopTicking: (() => void) | undefined;

  constructor(settings: ChatSettings) {
    this.settings = settings;
    this.state = new State(settings.history, settings.onError);
    this.audience = new Audience(() => this.now, settings.maxRooms);
    this.answers = new Answers(this.state, this.audience, settings.greeting);
    this.liveness = new Liveness({
      tick: TICK,
      pingInterval: settings.pingInterval,
      pongTimeout: settings.pongTimeout,
      ask: (member) => this.audience.tell(member, { type: "ping" }),
      isGone: (member) => this.#lose(member),
    });
    this.doing = new Doing(this.state, this.audience, {
      now: () => this.now,
      speaks: (name) => this.#guests.speaks(name),
      arrived: (member) => this.#tellWhere(member),
      part: (member) => this.#part(member),
    });
    this.#order = settings.cluster?.attach(this) ?? {
      ask: (deed) => void this.doing.happen(deed),
      isKeyOf: (key, person) => person instanceof Member && person.hasKey(key),
    };
    this.#guests = this.#order.guests ?? new Guests(this.state.archive);
  }

  /** The time, in milliseconds since 1970. */
  get now(): number {
    return this.settings.now().getTime();
  }

  /** How the cluster is, for operators; undefined in a chat of one process. */
  get clusterSummary(): string | undefined {
    return this.#order.summary?.();
  }

  /** The member with this name, or with a name that looks the same. */
  find(name: string): Person | undefined {
    return this.state.find(name);
  }

  /**
   * Lets a newcomer into the lobby, where it hears everything. Returns undefined if it is turned
   * away. The others are told of the newcomer when it says a word, or after a while. Until then it
   * may be a probe, which only connects.
   */
  enter(connection: Connection<string>): Member | undefined {
    const room = this.state.rooms.lobby;
    const host = distinctHostOf(connection.remote);
    const problem = this.#problemOf(host);
    const name = problem === undefined ? this.#guestName() : undefined;
    if (name === undefined) {
      const { text, closeCode } = refusal(problem ?? "full");
      connection.offer(`* ${text}`);
      connection.close({ code: closeCode, reason: text });
      return undefined;
    }
    if (connection.state !== "open") {
      this.#guests.giveBack(name);
      return undefined;
    }
    const { now } = this;
    const flood = new Flood(this.settings.flood, now);
    const given = { home: this.#order.home ?? "", number: ++this.#lastNumber, name, room, host };
    const member = new Member(connection, { ...given, flood, now });
    this.connected.set(member.number, member);
    this.#newcomers.add(member);
    this.#stopTicking ??= this.settings.every(() => this.tick(), TICK);
    this.audience.add(member);
    this.#welcome(member, room.members.size + 1);
    this.answers.greet(member);
    this.#order.entered?.(member);
    if (this.settings.announceAfter === 0) this.announce(member);
    return member;
  }

  /** Makes a newcomer a member: the others are told. */
  announce(member: Member): void {
    if (member.state !== "new") return;
    member.state = "coming";
    this.#newcomers.delete(member);
    this.ask({ do: "come", who: member });
  }

  /** Takes a member out of the chat. Does nothing if it has left already. */
  leave(member: Member): void {
    const { state } = member;
    if (state === "gone") return;
    this.#part(member);
    if (state === "new") this.#guests.giveBack(member.name);
    else this.ask({ do: "go", who: member });
  }

  /** Takes a member out and closes its connection, with a last line that says why. */
  disconnect(member: Member, code: NoticeCode, reason: string, fields?: NoticeFields): void {
    if (member.state === "gone") return;
    this.audience.notice(member, code, reason, fields);
    this.leave(member);
    member.connection.close({ reason });
  }

  /** Asks for something that changes the chat, for a member. */
  ask(deed: Deed & { who: Member }): void {
    const { who } = deed;
    const pending = who.pending = this.#order.ask(deed);
    pending?.then(() => {
      if (who.pending === pending) who.pending = undefined;
    });
  }

  /**
   * Says something in the member's room. If the member has given it a name, and it was said already,
   * nobody but the member is told.
   */
  say(member: Member, kind: SaidEvent["type"], text: string, ref?: string): void {
    this.ask({ do: "say", who: member, kind, text, ...(ref === undefined ? {} : { ref }) });
  }

  /** Moves a member to another room. Makes the room if there is none with this name. */
  move(member: Member, name: string): void {
    const { settings, state: { rooms } } = this;
    const no = whyNotRoom({ settings, rooms }, member, name, rooms.find(name));
    if (no !== undefined) return this.audience.notice(member, no.code, no.text, no.fields);
    this.ask({ do: "move", who: member, room: name });
  }

  /** Gives a member another name, if it is free, or if it has the key of who has it. */
  rename(member: Member, name: string, key?: string): void {
    const holder = key === undefined ? undefined : this.find(name);
    const isTaken = key !== undefined && holder !== undefined && holder !== member &&
      this.#order.isKeyOf(key, holder);
    this.ask({ do: "name", who: member, name, ...(isTaken ? { over: holder } : {}) });
  }

  /** From now on the member gets JSON. First it gets the present state of the chat. */
  speakJson(member: Member): void {
    this.audience.remove(member);
    member.style = "json";
    this.audience.add(member);
    this.#welcome(member, member.room.members.size);
    this.audience.who(member);
    this.answers.rooms(member);
    this.answers.history(member, this.settings.greeting);
  }

  /** Runs once a second while the chat has members. */
  tick(): void {
    const { now, settings: { announceAfter, silentAfter } } = this;
    for (const member of this.#newcomers) {
      if (member.canBeSeenToStay && now - member.spokeAt >= announceAfter) this.announce(member);
    }
    for (const member of this.connected.values()) {
      if (member.state !== "here" || member.silent || member.pending !== undefined) continue;
      if (now - member.spokeAt >= silentAfter) this.ask({ do: "silent", who: member });
    }
    this.liveness.tick(now);
    this.audience.tick();
    if (this.state.roomsChanged && this.audience.hasPrograms) {
      this.audience.all(this.answers.roomsEvent, ["json"]);
    }
    this.state.roomsChanged = false;
  }

  /** Ends the chat for all members. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#guests.close();
    for (const member of [...this.#newcomers, ...this.connected.values()]) {
      this.disconnect(member, "closing", "The chat is closing.");
    }
  }

  /** A name for a newcomer, or undefined if there is none now. */
  #guestName(): string | undefined {
    let name: string | undefined;
    do name = this.#guests.next(); while (name !== undefined && this.find(name) !== undefined);
    return name;
  }

  #welcome(member: Member, members: number): void {
    const { name, room } = member;
    const { server } = this.#order;
    const welcome = { type: "welcome", name, room: room.name, time: this.now, members } as const;
    this.audience.tell(member, server === undefined ? welcome : { ...welcome, server });
  }

  #tellWhere(member: Member): void {
    const { room } = member;
    const members = room.members.size;
    this.audience.tell(member, { type: "room", name: room.name, topic: room.topic, members });
    if (member.style === "json") this.audience.who(member);
    this.answers.greet(member);
  }

  /** Why a newcomer from this address may not join now, or undefined if it may. */
  #problemOf(host: string | undefined) {
    if (this.#state === "closed") return "closed";
    if (this.state.bans.hasHost(host)) return "banned";
    const inLobby = this.state.rooms.lobby.members.size + this.#newcomers.size;
    if (inLobby >= this.settings.maxMembersPerRoom) return "full";
  }

  /** A member hears and says nothing any more. */
  #part(member: Member): void {
    member.state = "gone";
    this.liveness.forget(member);
    this.audience.remove(member);
    this.#newcomers.delete(member);
    this.connected.delete(member.number);
    if (this.connected.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    this.audience.tick();
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
}
