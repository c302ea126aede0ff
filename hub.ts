/**
 * Rooms of connections, for any program: join, leave, broadcast.
 *
 * @module
 */

import { type BackplaneLink, inProcess } from "./backplane.ts";
import { lengthPrefix } from "./codec.ts";
import { Connection, markText, Shared } from "./connection.ts";
import { Audience, type ClosedListener } from "./connection/internal.ts";
import { LengthwiseError } from "./errors.ts";
import { bytes, type Format, type FormatDecoder, type Sendable } from "./format.ts";
import { checkJoin, type HubLimits } from "./hub/limits.ts";
import { resolvePresenceOptions } from "./hub/presence/options.ts";
import { NO_PRESENCE, Presences } from "./hub/presence/presences.ts";
import { RoomPresence } from "./hub/presence/room.ts";
import type { Presence, PresenceStats, ResolvedPresenceOptions } from "./hub/presence/types.ts";
import type { HubOptions, HubStats, JoinOptions, RoomBroadcastOptions } from "./hub/types.ts";
import { checkInteger } from "./internal/check.ts";

export type { HubOptions, HubStats, JoinOptions, RoomBroadcastOptions } from "./hub/types.ts";
export type {
  Presence,
  PresenceChange,
  PresenceMember,
  PresenceOptions,
  PresenceStats,
} from "./hub/presence/types.ts";
export {
  type Backplane,
  type BackplaneChannels,
  type BackplaneLink,
  type BackplanePort,
  inProcess,
} from "./backplane.ts";

const NOBODY: ReadonlySet<never> = new Set<never>();

/**
 * Rooms of connections. Connections join and leave them; messages are broadcast to them.
 *
 * - **Order.** All members of a room get its messages in the same order, that of the broadcasts.
 *   Each member gets a message at most once.
 * - **Nobody waits.** A broadcast queues the message at each member's connection and returns. If a
 *   member does not read, the `slowConsumer` policy of its connection decides. Messages that it
 *   does not get are counted here and in its `stats`.
 * - **Cost.** A message is encoded and copied once for each framing in the room. All members that
 *   keep up share this copy. Slower members get copies of their own.
 * - **Life.** A room exists as long as it has members. A connection that ends leaves all its rooms
 *   by itself.
 * - **Names.** Any string is a room's name, compared exactly.
 * - **Limits.** The numbers of rooms, of members and of memberships, and the length of names, have
 *   limits.
 * - **Several hubs** that share a backplane act as one hub for `broadcast()` and `presence()`.
 *   `members()`, `rooms()`, `send()` and the counts are those of each hub alone.
 *
 * @example Rooms of a server
 * ```ts
 * import { connect, Hub, listen } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = new Hub();
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   hub.join("lobby", connection);
 *   for await (const message of connection) hub.broadcast("lobby", message);
 * });
 * await using connection = await connect(server.endpoints[0]);
 * await connection.send("hello, everyone");
 * assertEquals(new TextDecoder().decode(await connection.receive()), "hello, everyone");
 * ```
 */
export class Hub<T = Uint8Array> implements Disposable {
  readonly #options: HubOptions<T>;
  readonly #limits: HubLimits;
  readonly #rooms = new Map<string, Audience<T>>();
  /** By id: each connection that has joined, until it ends, with the rooms that it is in. */
  readonly #members = new Map<number, { connection: Connection<T>; rooms: Set<string> }>();
  readonly #link: BackplaneLink;
  readonly #format: Format<T>;
  readonly #decoder: FormatDecoder<T> | undefined;
  readonly #presenceOptions: ResolvedPresenceOptions;
  /** One listener for all members. */
  readonly #leaving: ClosedListener = {
    connectionClosed: (connection) => this.#left(connection as Connection<T>),
  };
  /** Made when it is used first: until then, the other hubs hear nothing of it. */
  #presences: Presences | undefined;
  #state: "open" | "closed" = "open";
  #present = 0;
  #broadcasts = 0;
  #delivered = 0;
  #dropped = 0;

  /**
   * Makes a hub without rooms.
   *
   * @throws {RangeError} for a limit out of range.
   */
  constructor(options: HubOptions<T> = {}) {
    const {
      maxRooms = 100_000,
      maxMembersPerRoom = 100_000,
      maxRoomsPerMember = 1_000,
      maxNameLength = 256,
      backplane = inProcess(),
      format = bytes() as unknown as Format<T>,
      presence = {},
    } = options;
    this.#limits = { maxRooms, maxMembersPerRoom, maxRoomsPerMember, maxNameLength };
    for (const [name, limit] of Object.entries(this.#limits)) {
      checkInteger(name, limit, 1, Number.MAX_SAFE_INTEGER);
    }
    this.#options = options;
    this.#presenceOptions = resolvePresenceOptions(presence);
    this.#format = format;
    this.#decoder = format.decoder(lengthPrefix());
    this.#link = backplane.attach({
      deliver: (room, message) => this.#guard(() => this.#deliver(room, this.#decode(message))),
      failed: (error) => this.#report(error),
    });
  }

  /** Counts as of now. */
  get stats(): HubStats {
    return {
      rooms: this.#rooms.size,
      members: this.#present,
      broadcasts: this.#broadcasts,
      delivered: this.#delivered,
      dropped: this.#dropped,
    };
  }

  /** Counts of `presence()` as of now. */
  get presenceStats(): PresenceStats {
    return this.#presences?.stats ?? NO_PRESENCE;
  }

  /**
   * Puts a connection into a room; returns false if it is in the room already. The connection
   * leaves by itself when it ends.
   *
   * @throws {RangeError} for a name that is too long, or data that is too large.
   * @throws {TypeError} for data that is no JSON.
   * @throws {LengthwiseError} when a limit is reached, or the hub is closed.
   * @throws {ConnectionClosedError} for a connection that is closing or closed.
   */
  join(room: string, connection: Connection<T>, options: JoinOptions = {}): boolean {
    const { data } = options;
    const there = this.#rooms.get(room);
    if (there?.members.has(connection)) return false;
    const member = this.#members.get(connection.id);
    this.#check(room, connection, there?.members.size, member?.rooms.size ?? 0);
    const presences = data === undefined ? undefined : this.#usePresences();
    const checked = presences?.check(room, connection.id, data);
    const { rooms } = member ?? this.#admit(connection);
    if (rooms.size === 0) this.#present++;
    rooms.add(room);
    const audience = there ?? new Audience<T>();
    audience.add(connection);
    if (there === undefined) {
      this.#rooms.set(room, audience);
      this.#link.subscribe(room);
    }
    presences?.put(room, connection.id, checked);
    this.#guard(() => this.#options.onJoin?.(room, connection));
    return true;
  }

  /** Takes a connection out of a room; returns false if it is not in the room. */
  leave(room: string, connection: Connection<T>): boolean {
    const there = this.#rooms.get(room);
    if (there === undefined || !there.delete(connection)) return false;
    const { rooms } = this.#members.get(connection.id)!;
    rooms.delete(room);
    if (rooms.size === 0) this.#present--;
    this.#presences?.delete(room, connection.id);
    if (there.members.size === 0) {
      this.#rooms.delete(room);
      this.#link.unsubscribe(room);
    }
    this.#guard(() => this.#options.onLeave?.(room, connection));
    if (there.members.size === 0) this.#guard(() => this.#options.onEmpty?.(room));
    return true;
  }

  /**
   * Sends a message to all members of a room, in this hub and in the others on its backplane,
   * without waiting for anyone. Returns for how many connections of this hub the message was
   * queued.
   */
  broadcast(room: string, message: Sendable<T>, options: RoomBroadcastOptions<T> = {}): number {
    const { except } = options;
    if (this.#state === "closed") return 0;
    const queued = this.#deliver(room, message, except);
    this.#guard(() => this.#link.publish(room, () => this.#encode(message)));
    return queued;
  }

  /**
   * Sends a message to one connection by its id, without waiting. Returns whether the message was
   * queued. It is not queued for a connection that never joined a room of this hub, or that has
   * ended.
   */
  send(id: number, message: Sendable<T>): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    const queued = member.connection.offer(message);
    if (queued) this.#delivered++;
    else this.#dropped++;
    return queued;
  }

  /**
   * Who is in a room, in this hub and in the others on its backplane: those that joined with `data`.
   * From then on, this hub takes part in it. Hubs that use no presence hear nothing of it.
   *
   * A backplane without `channels` is enough for broadcasts. Then presence tells of this hub's members only.
   *
   * @throws {LengthwiseError} if the hub is closed.
   *
   * @example Who is there
   * ```ts
   * import { Connection, Hub } from "@lengthwise/lengthwise";
   * import { inProcess } from "@lengthwise/lengthwise/backplane";
   * import { memoryPair } from "@lengthwise/lengthwise/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const backplane = inProcess(); // or `await nats(…)`, for hubs of several machines
   * using here = new Hub({ backplane });
   * using there = new Hub({ backplane });
   * const [near, far] = memoryPair().map((transport) => new Connection(transport));
   * there.join("lobby", near, { data: { name: "Ada" } });
   *
   * const lobby = here.presence<{ name: string }>("lobby");
   * await lobby.ready;
   * assertEquals([...lobby].map(({ data }) => data.name), ["Ada"]);
   * for await (const { kind, member } of lobby.changes()) {
   *   assertEquals([kind, member.data.name], ["join", "Ada"]);
   *   break;
   * }
   * await Promise.all([near.close(), far.close()]);
   * ```
   */
  presence<D = unknown>(room: string): Presence<D> {
    return new RoomPresence<D>(room, this.#usePresences());
  }

  /** The members of a room, in the order of joining. */
  members(room: string): ReadonlySet<Connection<T>> {
    return this.#rooms.get(room)?.members ?? NOBODY;
  }

  /** The rooms that have members, or those that one connection is in. */
  rooms(connection?: Connection<T>): string[] {
    if (connection === undefined) return [...this.#rooms.keys()];
    return [...this.#members.get(connection.id)?.rooms ?? []];
  }

  /** Ends all rooms, without calls to `onLeave` and `onEmpty`. The connections stay open. */
  close(): void {
    this.#state = "closed";
    this.#presences?.close();
    this.#link.close();
    this.#rooms.clear();
    this.#members.clear();
    this.#present = 0;
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(room: string, connection: Connection<T>, members = 0, rooms: number): void {
    const counts = { members, rooms: this.#rooms.size, roomsOfMember: rooms };
    checkJoin(room, connection, this.#state, counts, this.#limits);
  }

  #usePresences(): Presences {
    if (this.#state === "closed") {
      throw new LengthwiseError("Cannot use presence: the hub is closed");
    }
    return this.#presences ??= new Presences(this.#presenceOptions, this.#link.channels, {
      has: (room, id) => this.#members.get(id)?.rooms.has(room) ?? false,
      failed: (error) => this.#report(error),
    });
  }

  #admit(connection: Connection<T>): { rooms: Set<string> } {
    const member = { connection, rooms: new Set<string>() };
    this.#members.set(connection.id, member);
    connection.whenClosed(this.#leaving);
    return member;
  }

  #left(connection: Connection<T>): void {
    const member = this.#members.get(connection.id);
    for (const room of member?.rooms ?? []) this.leave(room, connection);
    this.#members.delete(connection.id);
  }

  #deliver(room: string, message: Sendable<T>, except?: RoomBroadcastOptions<T>["except"]): number {
    this.#broadcasts++;
    const audience = this.#rooms.get(room);
    if (audience === undefined) return 0;
    const left = except === undefined ? undefined : setOf(except);
    const { queued, refused } = audience.send(new Shared<T>(message), left);
    this.#delivered += queued;
    this.#dropped += refused;
    return queued;
  }

  #encode(message: Sendable<T>): Uint8Array {
    const encoded = this.#format.encode(message);
    return typeof encoded === "string" ? markText(new TextEncoder().encode(encoded)) : encoded;
  }

  #decode(message: Uint8Array): Sendable<T> {
    const value = this.#decoder === undefined ? message as T : this.#decoder.decode(message);
    if (value instanceof Promise) {
      value.catch(() => {});
      throw new TypeError("Cannot decode message of the backplane: the format is asynchronous");
    }
    return value as Sendable<T>;
  }

  /**
   * An error of a callback or of the backplane must not leave a room half joined, and must not end
   * the process.
   */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (onError === undefined) console.error("Error in a hub:", error);
    else onError(error);
  }
}

function setOf<T>(except: Connection<T> | Iterable<Connection<T>>): ReadonlySet<Connection<T>> {
  if (except instanceof Connection) return new Set([except]);
  return except instanceof Set ? except : new Set(except);
}
