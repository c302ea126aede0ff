/** The plain types around a hub. */

import type { Backplane } from "../backplane.ts";
import type { Connection } from "../connection.ts";
import type { Format } from "../format.ts";

/** Options of a hub. */
export interface HubOptions<T = Uint8Array> {
  /**
   * Rooms at a time. A room is there while it has members.
   *
   * @default 100_000
   */
  maxRooms?: number;
  /**
   * Members of one room.
   *
   * @default 100_000
   */
  maxMembersPerRoom?: number;
  /**
   * Rooms that one connection may be in.
   *
   * @default 1_000
   */
  maxRoomsPerMember?: number;
  /**
   * The length of a room's name, in UTF-16 code units.
   *
   * @default 256
   */
  maxNameLength?: number;
  /**
   * What joins this hub with others.
   *
   * @default `inProcess()`, of its own
   */
  backplane?: Backplane;
  /**
   * What messages are on the backplane: the format of the connections. Needed only with a backplane,
   * and for JSON. Decoding must not be asynchronous.
   *
   * @default `bytes()`
   */
  format?: Format<T>;
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

/** Whom a broadcast to a room leaves out. */
export interface RoomBroadcastOptions<T = Uint8Array> {
  /** Connections that do not get the message. */
  except?: Connection<T> | Iterable<Connection<T>>;
}

/** What a hub has done so far. Other hubs behind the same backplane count for themselves. */
export interface HubStats {
  /** Rooms that are there now. */
  readonly rooms: number;
  /** Connections that are in any room now. */
  readonly members: number;
  /** Messages that were broadcast, or came from the backplane. */
  readonly broadcasts: number;
  /** Messages queued, one for each member that got it. */
  readonly delivered: number;
  /** Messages that a member's connection refused or its slow-consumer policy dropped. */
  readonly dropped: number;
}
