/** The members and the rooms of a chat. */

import type { Connection } from "../../connection.ts";
import { sameAs } from "../../internal/secret.ts";
import { Session } from "../../session.ts";
import type { Archive } from "../history/archive.ts";
import { shown } from "../names/names.ts";
import type { Presence, RoomInfo, Style } from "./events.ts";
import type { Flood } from "./flood.ts";

/** Somebody in the chat. Who is connected to this server is a {@linkcode Member}. */
export class Person {
  /** Which one it is of those of its server. */
  readonly number: number;
  /** The address that it comes from. Undefined if the address does not tell peers apart. */
  readonly host: string | undefined;
  /** Its server. Empty in a chat of one process. */
  home: string;
  name: string;
  /** The number of the deed by which it has its name. */
  named = 0;
  room: Room;
  away: string | undefined;
  silent = false;
  operator = false;
  /** The names that it ignores, by their first key. */
  readonly ignored: Map<string, string> = new Map();
  /** The hash of what takes its name over, where a chat has many servers. */
  keyHash: string | undefined;

  constructor(
    given: { home: string; number: number; name: string; room: Room; host: string | undefined },
  ) {
    this.home = given.home;
    this.number = given.number;
    this.name = given.name;
    this.room = given.room;
    this.host = given.host;
  }

  /** What no other one has, at any server. */
  get id(): string {
    return `${this.home}:${this.number}`;
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

/** One connection in the chat. */
export class Member extends Person {
  readonly connection: Connection<string>;
  readonly flood: Flood;
  /** Whether the others have been told that it came, and that it went; or are about to be told. */
  state: "new" | "coming" | "here" | "gone" = "new";
  style: Style = "plain";
  /** What it has asked for, and has not happened yet. Its next line is taken after that. */
  pending: Promise<void> | undefined;
  /** How many wrong operator tokens it gave. */
  wrongTokens = 0;
  spokeAt: number;
  #key: string | undefined;

  constructor(
    connection: Connection<string>,
    given: ConstructorParameters<typeof Person>[0] & { flood: Flood; now: number },
  ) {
    super(given);
    this.connection = connection;
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
  readonly members: Set<Person> = new Set();
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
