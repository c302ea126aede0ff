/** The options and counts of a hub, as plain types. */

import type { Backplane } from "../backplane.ts";
import type { Connection } from "../connection.ts";
import type { Format } from "../format.ts";
import type { PresenceOptions } from "./presence/types.ts";

/** Options of a hub. */
export interface HubOptions<T = Uint8Array> {
  /**
   * How many rooms may exist at a time. A room exists while it has members.
   *
   * @default 100_000
   */
  maxRooms?: number;
  /**
   * How many members one room may have.
   *
   * @default 100_000
   */
  maxMembersPerRoom?: number;
  /**
   * In how many rooms one connection may be.
   *
   * @default 1_000
   */
  maxRoomsPerMember?: number;
  /**
   * How long a room's name may be, in UTF-16 code units.
   *
   * @default 256
   */
  maxNameLength?: number;
  /**
   * The backplane that connects this hub with others.
   *
   * @default a new `inProcess()`, which no other hub shares
   */
  backplane?: Backplane;
  /**
   * The format of messages on the backplane, which is the format of the connections. It is needed
   * only with a backplane, and for JSON. Decoding must not be asynchronous.
   *
   * @default `bytes()`
   */
  format?: Format<T>;
  /** Limits and times of `presence()`. */
  presence?: PresenceOptions;
  /** Called when a connection has joined. */
  onJoin?: (room: string, connection: Connection<T>) => void;
  /** Called when a connection has left, by itself or because it ended. */
  onLeave?: (room: string, connection: Connection<T>) => void;
  /** Called when the last member of a room has left it, after `onLeave`. */
  onEmpty?: (room: string) => void;
  /**
   * Called with what a callback threw and with what the backplane reports.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown) => void;
}

/** How a connection joins a room. */
export interface JoinOptions {
  /**
   * Makes the connection present, with this data: `presence()` of each hub on the backplane tells of it.
   * It is a value that JSON has, for example `null`, and at most 1 KiB by default.
   */
  data?: unknown;
}

/** Which members do not get a broadcast to a room. */
export interface RoomBroadcastOptions<T = Uint8Array> {
  /** Connections that do not get the message. */
  except?: Connection<T> | Iterable<Connection<T>>;
}

/** What a hub has done so far. Other hubs on the same backplane have their own counts. */
export interface HubStats {
  /** Rooms that exist now. */
  readonly rooms: number;
  /** Connections that are in any room now. */
  readonly members: number;
  /** Messages that were broadcast here, or that came from the backplane. */
  readonly broadcasts: number;
  /** Messages that were queued. A message counts once for each member. */
  readonly delivered: number;
  /** Messages that a member's connection refused or its slow-consumer policy dropped. */
  readonly dropped: number;
}
