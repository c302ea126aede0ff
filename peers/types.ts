/** The options and counts of a hub of peers, as plain types. */

import type { StandardSchema } from "../format.ts";
import type { HubOptions } from "../hub.ts";
import type {
  AnyMethods,
  NotifyArguments,
  ParamsOf,
  RequestPeer,
  ValueMethods,
} from "../request.ts";

/** Options of a hub of peers. What a {@linkcode HubOptions} has, too, is the same here. */
export interface PeerHubOptions<Remote = AnyMethods> extends
  Pick<
    HubOptions,
    | "maxRooms"
    | "maxMembersPerRoom"
    | "maxRoomsPerMember"
    | "maxNameLength"
    | "backplane"
    | "presence"
    | "onEmpty"
    | "onError"
  > {
  /**
   * How large the message of a notification may be, in bytes: its name, its params and two bytes.
   *
   * @default 1_048_576
   */
  maxNotificationBytes?: number;
  /**
   * What other hubs on the backplane may notify of: methods, each with a validator of its params. All
   * else that comes from there is dropped and counted as `foreign`. A validator must not be
   * asynchronous, and what it changes in the params is not passed on.
   *
   * @default any method, with any params
   */
  accepts?: {
    readonly [Name in ValueMethods<Remote>]?: StandardSchema<ParamsOf<Remote[Name & keyof Remote]>>;
  };
  /** Called when a peer has joined. */
  onJoin?: (room: string, peer: RequestPeer<Remote>) => void;
  /** Called when a peer has left, by itself or because its connection ended. */
  onLeave?: (room: string, peer: RequestPeer<Remote>) => void;
}

/** Which members do not get a notification of a room. */
export interface RoomNotifyOptions<Remote = AnyMethods> {
  /** Peers that do not get it. */
  except?: RequestPeer<Remote> | Iterable<RequestPeer<Remote>>;
  /**
   * Whether slow peers do not get it, in this hub and in the others: those for which `send()` would wait,
   * because `highWaterMark` bytes wait to be written. They count as `dropped`. For what is soon replaced
   * by something newer, such as positions.
   *
   * @default false
   */
  volatile?: boolean;
}

/** The arguments after a method's name: its params, if it has any, and options. */
export type RoomNotifyArguments<Method, Remote = AnyMethods> = [
  ...NotifyArguments<Method>,
  options?: RoomNotifyOptions<Remote>,
];

/** What a hub of peers has done so far. Other hubs on the same backplane have their own counts. */
export interface PeerHubStats {
  /** Rooms that exist now. */
  readonly rooms: number;
  /** Peers that are in any room now. */
  readonly members: number;
  /** Notifications of rooms that were made here, or that came from the backplane. */
  readonly notifications: number;
  /** Notifications that were queued. One counts once for each member. */
  readonly delivered: number;
  /** Notifications that a member did not get: too large for it, or it was too slow, or closing. */
  readonly dropped: number;
  /** What came from the backplane and was no notification, too large, or not accepted. */
  readonly foreign: number;
}
