/** Whether a connection may join a room. */

import type { Connection } from "../connection.ts";
import { ConnectionClosedError, LengthwiseError } from "../errors.ts";

/** The limits of a hub. */
export type HubLimits = Readonly<
  Record<"maxRooms" | "maxMembersPerRoom" | "maxRoomsPerMember" | "maxNameLength", number>
>;

/** How much there is before the connection joins. */
export interface HubCounts {
  /** Members of the room. */
  readonly members: number;
  /** Rooms of the hub. */
  readonly rooms: number;
  /** Rooms that the connection is in. */
  readonly roomsOfMember: number;
}

/**
 * Checks whether a connection may join a room.
 *
 * @throws {RangeError} {LengthwiseError} {ConnectionClosedError} if it may not.
 */
export function checkJoin(
  room: string,
  { state, remote }: Pick<Connection, "state" | "remote">,
  hub: "open" | "closed",
  { members, rooms, roomsOfMember }: HubCounts,
  { maxRooms, maxMembersPerRoom, maxRoomsPerMember, maxNameLength }: HubLimits,
): void {
  if (room.length > maxNameLength) {
    throw new RangeError(
      `Cannot join room: its name has ${room.length} characters, limit is ${maxNameLength}`,
    );
  }
  const name = JSON.stringify(room);
  if (hub === "closed") throw new LengthwiseError(`Cannot join room ${name}: the hub is closed`);
  if (state !== "open") {
    throw new ConnectionClosedError(
      `Cannot join room ${name}: connection of ${remote} is ${state}`,
    );
  }
  const problem = members >= maxMembersPerRoom
    ? `it has ${members} members, limit is ${maxMembersPerRoom}`
    : members === 0 && rooms >= maxRooms
    ? `there are ${rooms} rooms, limit is ${maxRooms}`
    : roomsOfMember >= maxRoomsPerMember
    ? `connection of ${remote} is in ${roomsOfMember} rooms, limit is ${maxRoomsPerMember}`
    : undefined;
  if (problem !== undefined) throw new LengthwiseError(`Cannot join room ${name}: ${problem}`);
}
