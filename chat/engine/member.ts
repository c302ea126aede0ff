/** The members and the rooms of a chat. */

import type { Connection } from "../../connection.ts";
import { sameAs } from "../../internal/secret.ts";
import { Session } from "../../session.ts";
import type { Archive } from "../history/archive.ts";
import { shown } from "../names/names.ts";
import type { Presence, RoomInfo, Style } from "./events.ts";
import type { Flood } from "./flood.ts";

/** One connection in the chat. */
export class Member {
  readonly connection: Connection<string>;
  /** The address that it comes from. Undefined if the address does not tell peers apart. */
  readonly host: string | undefined;
  readonly flood: Flood;
  /** Whether the others have been told that it came, and that it went. */
  state: "new" | "here" | "gone" = "new";
  name: string;
  room: Room;
  style: Style = "plain";
  away: string | undefined;
  silent = false;
  operator = false;
  /** How many wrong operator tokens it gave. */
  wrongTokens = 0;
  spokeAt: number;
  /** The names that it ignores, by their first key. */
  readonly ignored = new Map<string, string>();
  #key: string | undefined;

  constructor(
    connection: Connection<string>,
    given: { name: string; room: Room; host: string | undefined; flood: Flood; now: number },
  ) {
    this.connection = connection;
    this.name = given.name;
    this.room = given.room;
    this.host = given.host;
    this.flood = given.flood;
    this.spokeAt = given.now;
  }

  /** Whether its end would be seen; over UDP it would not. */
  get canBeSeenToStay(): boolean {
    return !this.connection.endpoint.startsWith("udp:");
  }

  /**
   * Whether it may promise to answer pings. People see lines, and do not answer. A session asks by
   * itself, and waits for a peer that was lost to come back.
   */
  get canBeAsked(): boolean {
    return this.style === "json" && !(this.connection instanceof Session);
  }

  /** What takes its name over from another connection. It is made when it is asked for. */
  get key(): string {
    return this.#key ??= crypto.randomUUID();
  }

  /** Whether this is its key. */
  hasKey(key: string): boolean {
    return this.#key !== undefined && sameAs(this.#key)(key);
  }

  /** The member as `/who` shows it. */
  get presence(): Presence {
    return {
      name: this.name,
      ...(this.away === undefined ? {} : { away: this.away }),
      ...(this.silent ? { silent: true } : {}),
      ...(this.operator ? { operator: true } : {}),
    };
  }
}

let lastRoom = 0;

/** One room. */
export class Room {
  readonly name: string;
  /**
   * The name under which its messages and its topic are kept. It is the same for all ways to write
   * the room's name in upper or lower case.
   */
  readonly archive: string;
  readonly members = new Set<Member>();
  topic: string;
  lastId: number;
  /** How many lines about members who come and go its members got since the last tick. */
  told = 0;
  /** Counts of what was too much to be told line by line. */
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

  /** The room as `/rooms` shows it. */
  get info(): RoomInfo {
    const { name, members, topic, lastId } = this;
    return { name, members: members.size, topic, last: lastId };
  }
}
