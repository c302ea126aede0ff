/** What members of one server are told and shown while the other servers cannot be reached. */

import type { Deed } from "../engine/deeds.ts";
import type { Member, Room } from "../engine/member.ts";
import { notice } from "../engine/notices.ts";
import type { ChatParts } from "../engine/order.ts";
import type { Waiting } from "./lane.ts";

/** Tells and shows it. */
export class Apart {
  readonly #chat: ChatParts;
  /** The rooms that were told. */
  readonly #told = new Set<Room>();
  /** How many messages were shown before they had their place. */
  #shown = 0;

  constructor(chat: ChatParts) {
    this.#chat = chat;
  }

  /** Tells the rooms that have members of other servers, once. */
  begins(): void {
    const { audience, state, connected } = this.#chat;
    for (const room of state.rooms.all) {
      const hasOthers = room.members.values().some((person) =>
        connected.get(person.number) !== person
      );
      if (!hasOthers) continue;
      this.#told.add(room);
      audience.room(room, roomNotice("apart", room.name));
    }
  }

  /** Tells those rooms that it is over. */
  ends(): void {
    for (const room of this.#told) {
      this.#chat.audience.room(room, roomNotice("together", room.name));
    }
    this.#told.clear();
  }

  /** Tells one member, who has come or wants something that the others would have to know. */
  tellOne(member: Member): undefined {
    this.#chat.audience.tell(member, roomNotice("apart", member.room.name));
  }

  /** Tells a member that something is not done, because too much waits. */
  refuse({ who, ...deed }: Deed): undefined {
    const fields = "ref" in deed && deed.ref !== undefined ? { ref: deed.ref } : {};
    const text = "That was not said: too much waits for the other servers already.";
    this.#chat.audience.notice(who, "not-said", text, fields);
  }

  /** Shows what is said to the members of this server, before it has its place. */
  show(what: Waiting): void {
    const { deed } = what;
    if (deed?.do !== "say" || what.provisional !== undefined) return;
    const { who: { name, room, id }, kind, text, ref } = deed;
    const provisional = what.provisional = `${id}-${++this.#shown}`;
    const said = { type: kind, id: 0, room: room.name, name, text, time: Date.now(), provisional };
    this.#chat.doing.tellSaid(room, ref === undefined ? said : { ...said, ref });
  }

  /** Whether the same was shown already: its sender has sent it again. */
  isShown(deed: Deed, waiting: Iterable<Waiting>): boolean {
    if (deed.do !== "say" || deed.ref === undefined) return false;
    const { ref } = deed;
    return Iterator.from(waiting).some(({ deed }) => deed?.do === "say" && deed.ref === ref);
  }
}

/** What tells the members of a room that the others are away, or back. */
function roomNotice(code: "apart" | "together", room: string) {
  const text = code === "apart"
    ? "The other servers cannot be reached. Only members of this one hear you now; the others do later."
    : "The other servers are back: all members hear you.";
  return notice(code, text, { room });
}
