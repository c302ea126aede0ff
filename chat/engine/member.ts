/** Those who are there, and the room that each of them is in. */

import type { Connection } from "../../connection.ts";
import type { Archive } from "../history/archive.ts";
import { shown } from "../names/names.ts";
import type { Presence, RoomInfo, Style } from "./events.ts";
import type { Flood } from "./flood.ts";

/** One connection in the chat. */
export class Member {
  readonly connection: Connection<string>;
  /** Where it comes from, unless many share that. */
  readonly host: string | undefined;
  readonly flood: Flood;
  state: "here" | "gone" = "here";
  name: string;
  room: Room;
  style: Style = "plain";
  away: string | undefined;
  silent = false;
  operator = false;
  /** Tokens that were wrong. */
  wrongTokens = 0;
  spokeAt: number;
  /** Whom it does not hear: names by their first key. */
  readonly ignored = new Map<string, string>();

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

  /** What `/who` shows of it. */
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
