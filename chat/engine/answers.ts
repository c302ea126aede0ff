/** What a member is told of rooms and of earlier messages, when it asks or when it comes. */

import type { Audience } from "./audience.ts";
import type { ChatEvent, SaidEvent } from "./events.ts";
import type { Member } from "./member.ts";
import type { State } from "./state.ts";

/** How many rooms one answer lists at most. */
const MAX_LISTED = 500;

/** Answers members. */
export class Answers {
  readonly #state: State;
  readonly #audience: Audience;
  readonly #greeting: number;

  /** `greeting` is how many of a room's last messages a newcomer is shown. */
  constructor(state: State, audience: Audience, greeting: number) {
    this.#state = state;
    this.#audience = audience;
    this.#greeting = greeting;
  }

  /** The list of rooms. */
  get roomsEvent() {
    const { rooms } = this.#state;
    const list = rooms.list(MAX_LISTED);
    const more = rooms.size - list.length;
    return { type: "rooms" as const, rooms: list, ...(more > 0 ? { more } : {}) };
  }

  /** Tells a member the list of rooms. */
  rooms(member: Member): void {
    this.#audience.tell(member, this.roomsEvent);
  }

  /**
   * Tells a member what was said in its room, without the messages of those whom it ignores. If the
   * member has asked for this, it is also told how to ask for earlier messages.
   */
  history(
    member: Member,
    count: number,
    { isAsked = false, before }: { isAsked?: boolean; before?: number } = {},
  ): void {
    const found = this.#state.archive.last(member.room, count + 1, before);
    const more = found !== undefined && found.length > count;
    const last = found?.slice(more ? 1 : 0);
    const first = more && isAsked ? last?.[0]?.id : undefined;
    const next = first === undefined ? {} : { next: `/history ${count} before ${first}` };
    this.#tell(member, last, { more, ...next });
  }

  /** Tells a member what was said in its room after a message, and how to ask for the rest. */
  missed(member: Member, count: number, after: number): void {
    const found = this.#state.archive.since(member.room, count + 1, after);
    const more = found !== undefined && found.length > count;
    const first = found?.slice(0, count);
    const last = more ? first?.at(-1)?.id : undefined;
    const next = last === undefined ? {} : { next: `/history ${count} after ${last}` };
    this.#tell(member, first, { more, after, ...next });
  }

  /** Shows a newcomer what was said last. A person is shown this only if there is anything. */
  greet(member: Member): void {
    const { room, style } = member;
    const isNeeded = style === "json" || room.lastId > 0 && this.#greeting > 0 &&
        this.#state.archive.last(room, 1)?.length !== 0;
    if (isNeeded) this.history(member, this.#greeting);
  }

  #tell(
    member: Member,
    found: readonly SaidEvent[] | undefined,
    rest: Pick<ChatEvent & { type: "history" }, "more" | "after" | "next">,
  ): void {
    if (found === undefined) {
      return this.#audience.notice(member, "history-failed", "The history cannot be read.");
    }
    const messages = this.#state.ignoring.filter(member, found);
    this.#audience.tell(member, { type: "history", room: member.room.name, messages, ...rest });
  }
}
