/** Why a member may not have a name, or go to a room, and what it is told then. */

import { memberNameProblem, roomNameProblem } from "../names/names.ts";
import type { Bans } from "./bans.ts";
import type { Person, Room } from "./member.ts";
import type { NoticeCode, NoticeFields } from "./notices.ts";
import type { Rooms } from "./rooms.ts";

/** A notice that says no. */
interface No {
  readonly code: NoticeCode;
  readonly text: string;
  readonly fields: NoticeFields;
}

/** What is asked when a member wants to go to a room. */
interface Chat {
  readonly settings: { readonly maxRooms: number; readonly maxMembersPerRoom: number };
  readonly rooms: Rooms;
}

/** Why a member cannot go to a room; undefined if it can. `known` is the room, if there is one. */
export function whyNotRoom(
  { settings, rooms }: Chat,
  member: Person,
  name: string,
  known: Room | undefined,
): No | undefined {
  const no = (code: NoticeCode, problem: string): No => ({
    code,
    text: `Cannot join "${name}": ${problem}.`,
    fields: { room: name },
  });
  const problem = roomNameProblem(name);
  if (problem !== undefined) return no("room-invalid", problem);
  if (known === undefined) {
    if (rooms.size < settings.maxRooms) return undefined;
    return no("rooms-full", `there are ${rooms.size} rooms already`);
  }
  if (known === member.room) {
    const text = `You are in ${known.name} already.`;
    return { code: "room-already", text, fields: { room: known.name } };
  }
  if (known.members.size >= settings.maxMembersPerRoom) return no("room-full", "it is full");
}

/** Why a member cannot have a name; undefined if it can. `holder` is the other one who has it. */
export function whyNotName(bans: Bans, name: string, holder: Person | undefined): No | undefined {
  const no = (code: NoticeCode, problem: string): No => ({
    code,
    text: `Cannot use the name "${name}": ${problem}.`,
    fields: { name },
  });
  const problem = memberNameProblem(name);
  if (problem !== undefined) return no("name-invalid", problem);
  if (bans.hasName(name)) return no("name-banned", "it is banned");
  if (holder !== undefined) return no("name-taken", `${holder.name} is here`);
}
