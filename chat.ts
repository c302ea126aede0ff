/**
 * The chat: rooms, who is there, what they are called, and what everyone says. Free of I/O but for
 * the connections and the history that it is given.
 *
 * Messages are text, one per frame or line, so that any client can join. The room's own lines begin
 * with `* `; what a member says comes as `NAME: TEXT` to everyone in its room, the sender included.
 * Programs say `/json` and get everything as JSON, where the `code` of a notice tells its meaning.
 *
 * @module
 */

import { Commands } from "./chat/commands/commands.ts";
import { Engine } from "./chat/engine/engine.ts";
import { type ChatOptions, resolveChatOptions } from "./chat/options.ts";
import type { Connection } from "./connection.ts";

export type { ChatEvent, LineEvent, Presence, RoomInfo, SaidEvent } from "./chat/engine/events.ts";
export { refusalLine } from "./chat/engine/refusals.ts";
export type { NoticeCode, NoticeEvent, NoticeFields } from "./chat/engine/notices.ts";
export type { FloodLimits } from "./chat/engine/flood.ts";
export {
  type History,
  type HistoryEntry,
  memoryHistory,
  type MemoryHistoryOptions,
} from "./chat/history/history.ts";
export type { ChatOptions } from "./chat/options.ts";

/** What a chat holds and has done, as of now. */
export interface ChatStats {
  /** Members that are there. */
  readonly members: number;
  /** Rooms that are there, the lobby included. */
  readonly rooms: number;
  /** Messages said in rooms. */
  readonly said: number;
  /** Lines and events that were queued for members. */
  readonly delivered: number;
  /** Those that members did not get, because they read too slowly or had gone. */
  readonly dropped: number;
}

/**
 * Rooms for any number of connections.
 *
 * - Everyone in a room sees everything in the same order. A member is in one room at a time, in the
 *   lobby first.
 * - What is said is kept in the history before anyone sees it. When that fails, nobody does, and the
 *   member is told.
 * - A name belongs to one member at a time, without regard to case, compatibility forms (Unicode
 *   NFKC) and look-alikes (UTS #39); it has 1 to 32 characters, no spaces and nothing invisible.
 * - Control characters are shown, not passed on, since some members sit at bare terminals.
 * - A member that does not read is disconnected by its connection's limits; nobody waits for it. One
 *   that writes too fast is warned, then disconnected.
 * - There is a timer only while there are members.
 *
 * @example A chat server
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { Chat } from "@lengthwise/lengthwise/chat";
 * import { assertMatch } from "@std/assert";
 *
 * using chat = new Chat();
 * await using server = await listen(
 *   ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?framing=line"],
 *   { format: text() },
 *   (connection) => chat.serve(connection),
 * );
 * await using member = await connect(server.endpoints[0], { format: text() });
 * assertMatch((await member.receive())!, /^\* Welcome, guest-1\. /);
 * ```
 */
export class Chat implements Disposable {
  readonly #engine: Engine;
  readonly #commands: Commands;

  /**
   * Opens a chat with an empty lobby.
   *
   * @throws {RangeError} for an option out of range.
   * @throws {TypeError} for an empty `operatorToken`.
   */
  constructor(options: ChatOptions = {}) {
    this.#engine = new Engine(resolveChatOptions(options));
    this.#commands = new Commands(this.#engine);
  }

  /** The names of those who are there, in all rooms, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#engine.members, ({ name }) => name);
  }

  /** Counts as of now. */
  get stats(): ChatStats {
    const { members, rooms, said, audience } = this.#engine;
    const { delivered, dropped } = audience.hub.stats;
    return { members: members.size, rooms: rooms.size, said, delivered, dropped };
  }

  /**
   * Serves one member until it quits, is disconnected, or its connection ends.
   *
   * @throws {ConnectionLostError} {ProtocolError} what ended the connection, if not in order.
   */
  async serve(connection: Connection<string>): Promise<void> {
    const member = this.#engine.enter(connection);
    if (member === undefined) return;
    try {
      for await (const message of connection) {
        // It may have been disconnected by others while its lines waited.
        if (member.state === "gone") return;
        if (this.#commands.hear(member, message) === "quit") return;
      }
    } finally {
      this.#engine.leave(member);
    }
  }

  /** Disconnects everyone, each with a line that says why; whoever comes later is turned away. */
  close(): void {
    this.#engine.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}
