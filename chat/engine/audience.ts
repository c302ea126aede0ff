/**
 * Sends events to members. Each chat room has two rooms of the hub, one for people and one for
 * programs.
 */

import { Hub } from "../../hub.ts";
import {
  type ChatEvent,
  jsonOf,
  type LineEvent,
  lineOf,
  linesOf,
  type Style,
  STYLES,
} from "./events.ts";
import { Member, type Person, type Room } from "./member.ts";
import { notice, type NoticeCode, type NoticeFields } from "./notices.ts";

/** The most members that one answer lists. */
const MAX_LISTED = 500;

/** How many lines about members who come and go all members of a room get together in one tick. */
const MAX_TOLD = 20_000;

/** The hub's rooms that all members are in. */
const EVERYBODY: Readonly<Record<Style, string>> = { plain: "plain all", json: "json all" };

/** Tells members what happens. Each event is written once for people and once for programs. */
export class Audience {
  readonly hub: Hub<string>;
  readonly #now: () => number;
  /** Rooms whose counts must be reset at the next tick. */
  readonly #busy = new Set<Room>();

  constructor(now: () => number, maxRooms: number) {
    this.#now = now;
    this.hub = new Hub<string>({
      maxRooms: 2 * maxRooms + 4,
      maxMembersPerRoom: Number.MAX_SAFE_INTEGER,
      maxRoomsPerMember: 2,
    });
  }

  /** Whether any member is a program. */
  get hasPrograms(): boolean {
    return this.hub.members(EVERYBODY.json).size > 0;
  }

  /** From now on the member gets the events of its room. */
  add({ connection, room, style }: Member): void {
    // The connection was lost while its lines still waited.
    if (connection.state !== "open") return;
    this.hub.join(room.channel(style), connection);
    this.hub.join(EVERYBODY[style], connection);
  }

  /** From now on the member gets no events of its room. */
  remove({ connection, room, style }: Member): void {
    this.hub.leave(room.channel(style), connection);
    this.hub.leave(EVERYBODY[style], connection);
  }

  /** Tells one member, if it is one of this server. */
  tell(member: Person, event: ChatEvent): void {
    if (!(member instanceof Member)) return;
    const { id } = member.connection;
    if (member.style === "json") this.hub.send(id, jsonOf(event));
    else for (const line of linesOf(event, member.name, this.#now())) this.hub.send(id, line);
  }

  /** Tells one member a notice. */
  notice(member: Person, code: NoticeCode, text: string, fields?: NoticeFields): void {
    this.tell(member, notice(code, text, fields));
  }

  /** Tells one member the members of its room. */
  who(member: Member): void {
    this.tell(member, whoOf(member.room));
  }

  /** Tells all members of a room. */
  room(
    room: Room,
    event: LineEvent,
    except?: Iterable<Person>,
    styles: readonly Style[] = STYLES,
  ): void {
    const left = except === undefined ? undefined : new Set(
      Iterator.from(except).filter((person) => person instanceof Member)
        .map(({ connection }) => connection),
    );
    for (const style of styles) {
      const channel = room.channel(style);
      if (this.hub.members(channel).size === 0) continue;
      this.hub.broadcast(channel, written(style, event), { except: left });
    }
  }

  /** Tells all members of all rooms. */
  all(event: LineEvent, styles: readonly Style[] = STYLES): void {
    for (const style of styles) this.hub.broadcast(EVERYBODY[style], written(style, event));
  }

  /**
   * Tells a room that a member came, went or fell silent. If this becomes too much for the members
   * to read and for the server to write, it is only counted, and told at the next tick.
   */
  crowd(
    room: Room,
    event: LineEvent & { type: "join" | "leave" | "silent" },
    except?: Person,
  ): void {
    this.#busy.add(room);
    const { size } = room.members;
    if (room.told === 0 || room.told + size <= MAX_TOLD) {
      room.told += size;
      this.room(room, event, except === undefined ? undefined : [except]);
    } else if (event.type === "join") room.untold.joined++;
    else if (event.type === "leave") room.untold.left++;
    else room.untold.silent++;
  }

  /** Tells what was counted since the last tick. */
  tick(): void {
    for (const room of this.#busy) {
      const { joined, left, silent } = room.untold;
      if (joined + left + silent > 0) {
        const text = `${joined} more joined, ${left} left, ${silent} fell silent. ` +
          `${room.members.size} here.`;
        this.room(room, notice("crowd", text, { room: room.name }));
        const programs = room.channel("json");
        if (this.hub.members(programs).size > 0) this.hub.broadcast(programs, jsonOf(whoOf(room)));
        room.untold = { joined: 0, left: 0, silent: 0 };
      }
      room.told = 0;
    }
    this.#busy.clear();
  }
}

function written(style: Style, event: LineEvent): string {
  return style === "json" ? jsonOf(event) : lineOf(event);
}

function whoOf({ name, members }: Room): LineEvent {
  const list = Array.from(members.values().take(MAX_LISTED), ({ presence }) => presence);
  const more = members.size - list.length;
  return { type: "who", room: name, members: list, ...(more > 0 ? { more } : {}) };
}
