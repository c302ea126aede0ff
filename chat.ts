/**
 * The chat: its rooms, its members, their names, and their messages. It does no I/O except through
 * the connections and the history that it is given.
 *
 * Messages are text, one in each frame or line, so any client can join. The chat's own lines begin
 * with `* `. What a member says comes as `NAME: TEXT` to everyone in its room, also to the member
 * itself. A program sends `/json` and then gets everything as JSON. There, the `code` of a notice
 * tells what it means.
 *
 * @module
 */

import { Commands } from "./chat/commands/commands.ts";
import { Engine } from "./chat/engine/engine.ts";
import { type ChatOptions, resolveChatOptions } from "./chat/options.ts";
import type { ChatCluster } from "./chat/engine/order.ts";
import type { Connection } from "./connection.ts";

export type {
  ChatEvent,
  HistoryEvent,
  LineEvent,
  PlacedEvent,
  Presence,
  RoomInfo,
  SaidEvent,
} from "./chat/engine/events.ts";
export { refusalLine } from "./chat/engine/refusals.ts";
export type { NoticeCode, NoticeEvent, NoticeFields } from "./chat/engine/notices.ts";
export type { FloodLimits } from "./chat/engine/flood.ts";
export type { History, HistoryEntry } from "./chat/history/history.ts";
export { memoryHistory, type MemoryHistoryOptions } from "./chat/history/memory.ts";
export type { ChatCluster } from "./chat/engine/order.ts";
export type { ChatOptions } from "./chat/options.ts";

/** The counts of a chat. */
export interface ChatStats {
  /** How many members there are now. */
  readonly members: number;
  /** How many rooms there are now, with the lobby. */
  readonly rooms: number;
  /** How many messages were said in rooms. */
  readonly said: number;
  /** How many lines and events were queued for members. */
  readonly delivered: number;
  /** How many lines and events members did not get, because they read too slowly or had gone. */
  readonly dropped: number;
}

/**
 * Rooms for any number of connections.
 *
 * - Everyone in a room sees everything in the same order. A member is in one room at a time, at
 *   first in the lobby.
 * - A message is kept in the history before anyone sees it. If it cannot be kept, nobody sees it,
 *   and its sender is told.
 * - A newcomer hears everything at once. The others are told of it when it says a word, or after a
 *   few seconds: a probe that only connects is not announced.
 * - A name belongs to one member at a time. Case, compatibility forms (Unicode NFKC) and
 *   look-alikes (UTS #39) make no difference. A name has 1 to 32 characters, no spaces and no
 *   invisible characters.
 * - Control characters are not passed on as they are, but written out, because some members use
 *   bare terminals.
 * - A member that does not read is disconnected by the limits of its connection. Nobody waits for
 *   it. A member that writes too fast is first warned, then disconnected.
 * - A program that promised to answer pings by `/pong` is asked when it is silent, and is lost when
 *   it stays silent. Nobody else is asked.
 * - The chat has one timer for all members, and only while it has members.
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
  readonly #cluster: ChatCluster | undefined;

  /**
   * Opens a chat with an empty lobby.
   *
   * @throws {RangeError} for an option out of range.
   * @throws {TypeError} for an empty `operatorToken`.
   */
  constructor(options: ChatOptions = {}) {
    this.#cluster = options.cluster;
    this.#engine = new Engine(resolveChatOptions(options));
    this.#commands = new Commands(this.#engine);
  }

  /** The names of the members of all rooms, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#engine.state.members, ({ name }) => name);
  }

  /** Counts as of now. */
  get stats(): ChatStats {
    const { audience, state: { members, rooms, said } } = this.#engine;
    const { delivered, dropped } = audience.hub.stats;
    return { members: members.size, rooms: rooms.size, said, delivered, dropped };
  }

  /**
   * Serves one member until it quits, is disconnected, or its connection ends.
   *
   * @throws {ConnectionLostError} {ProtocolError} if the connection did not end in order.
   */
  async serve(connection: Connection<string>): Promise<void> {
    if (this.#cluster !== undefined) await this.#cluster.ready;
    const member = this.#engine.enter(connection);
    if (member === undefined) return;
    try {
      for await (const message of connection) {
        // An operator may have disconnected it while its lines waited.
        if (member.state === "gone") return;
        this.#engine.liveness.heard(member);
        const result = this.#commands.hear(member, message);
        if ((result instanceof Promise ? await result : result) === "quit") return;
        // What it has asked for happens before it is heard again.
        if (member.pending !== undefined) await member.pending;
      }
    } finally {
      this.#engine.leave(member);
    }
  }

  /**
   * Resolves when the chat has all that it needs: at once, or with a `cluster` when it knows what the
   * other servers know. Who comes before waits.
   */
  get ready(): Promise<void> {
    return this.#cluster?.ready ?? Promise.resolve();
  }

  /**
   * Disconnects all members, each with a line that says why. Connections that come later are turned
   * away.
   */
  close(): void {
    this.#engine.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}
