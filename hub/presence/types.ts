/** Who is in a room, over all hubs: the options, members, changes and counts, as plain types. */

import type { Connection } from "../../connection.ts";

/** Options of presence. Times are milliseconds. All hubs of a backplane should have the same. */
export interface PresenceOptions {
  /**
   * How often this hub says that it is there. That is one short message for all its members.
   *
   * @default 2_500
   */
  heartbeatInterval?: number;
  /**
   * After so long without a word of another hub, its members have left. It must be more than twice
   * `heartbeatInterval`.
   *
   * @default 9_000
   */
  leaseTimeout?: number;
  /**
   * How many members one room may have, over all hubs. A join beyond it throws; members of other hubs
   * beyond it are not shown here, and counted as `refused`.
   *
   * @default 50_000
   */
  maxMembersPerRoom?: number;
  /**
   * How many members all rooms may have, over all hubs. Beyond it as above.
   *
   * @default 200_000
   */
  maxMembers?: number;
  /**
   * How many bytes the data of one member may have, as JSON in UTF-8. At most 65_536.
   *
   * @default 1_024
   */
  maxDataBytes?: number;
  /**
   * Of how many other hubs the members are shown. Further hubs are counted as `refused`.
   *
   * @default 1_000
   */
  maxHubs?: number;
}

/** All options of presence given. */
export type ResolvedPresenceOptions = Readonly<Required<PresenceOptions>>;

/** Somebody who is in a room, in this hub or another one. Do not change it. */
export interface PresenceMember<D = unknown> {
  /** Different for each connection of each hub, and the same in all its rooms. */
  readonly id: string;
  /** The id of the hub whose connection it is. */
  readonly hub: string;
  /** What was given to `join()` or `track()`, as JSON brings it. */
  readonly data: D;
  /** When it joined, in milliseconds since 1970, by the clock of its hub's machine. */
  readonly since: number;
}

/** That somebody has come or gone, or has other data. */
export interface PresenceChange<D = unknown> {
  /** What has happened. */
  readonly kind: "join" | "update" | "leave";
  /** Who it is, as it is now, or as it was before it left. */
  readonly member: PresenceMember<D>;
}

/**
 * Who is in a room, in all hubs of the backplane: those that joined with `data`, or are
 * tracked. Iterating over it gives
 * those who are known now, in the order in which this hub learned of them.
 *
 * - **How soon.** A change is known everywhere after 20 ms and the way of the backplane.
 * - **Loss.** Each hub says every 2.5 s that it is there, and how many changes it had. Who missed one
 *   asks for all its members, and the difference becomes changes. Nobody is there twice.
 * - **Death.** The members of a hub that was not heard for 9 s have left. A process that was frozen
 *   comes back with its members when it goes on.
 * - **Cost.** A heartbeat is one message for all members of a hub, and the changes of 20 ms are one.
 *   Each hub that uses presence holds the members of all.
 * - **Limits.** The numbers of members and of hubs, and the size of data, have limits.
 */
export interface Presence<D = unknown> extends Iterable<PresenceMember<D>> {
  /** The room's name. */
  readonly room: string;
  /** How many there are. */
  readonly size: number;
  /**
   * Resolves when the other hubs have told this one who is there. That takes one round trip, or one and
   * a half `heartbeatInterval`s if nobody answers. Without other hubs to ask it resolves at once.
   */
  readonly ready: Promise<void>;
  /** One member, by its id or by its connection to this hub. */
  get(member: string | Pick<Connection, "id">): PresenceMember<D> | undefined;
  /**
   * Makes a connection that is in this room of this hub present with this data, or changes its data.
   * Returns false if the connection is not in the room.
   *
   * @throws {TypeError} for data that is no JSON.
   * @throws {RangeError} for data that is too large.
   * @throws {LengthwiseError} if too many are present, or the hub is closed.
   */
  track(connection: Pick<Connection, "id">, data: D): boolean;
  /**
   * A `join` for each member that is there, then each change. It ends when the hub is closed.
   *
   * The changes of a member that wait are joined to one, or to none. So whoever reads slowly gets fewer
   * changes and never wrong ones, and what waits has a limit: a change for each member that the reader
   * knows of, or that is there.
   *
   * When `signal` is aborted, it throws the signal's reason.
   */
  changes(options?: { signal?: AbortSignal }): AsyncIterableIterator<PresenceChange<D>>;
}

/** What presence has done so far, and what it knows. All are 0 until it is used. */
export interface PresenceStats {
  /** Other hubs that are there. */
  readonly hubs: number;
  /** Members of all rooms and hubs. One that is in two rooms counts twice. */
  readonly members: number;
  /** Messages to other hubs. */
  readonly sent: number;
  /** Messages of other hubs. */
  readonly received: number;
  /** Messages that came twice or too late, and were dropped. */
  readonly repeated: number;
  /** Messages that are not of its kind, and were dropped. */
  readonly foreign: number;
  /** How often another hub was asked for all its members, because something of it was missed. */
  readonly repairs: number;
  /** Hubs that were not heard for `leaseTimeout`. */
  readonly expired: number;
  /** How often a member, or a message of a hub, was beyond a limit. */
  readonly refused: number;
}
