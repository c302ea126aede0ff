/** The state of those who are there. */

import type { Connection } from "../../connection.ts";
import type { Presence, Style } from "./events.ts";
import type { Flood } from "./flood.ts";
import type { Room } from "./rooms.ts";

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
