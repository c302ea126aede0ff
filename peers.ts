/**
 * Rooms of peers, for any program: join, leave, and notifications that go to all members of a room.
 *
 * @module
 */

import { inProcess } from "./backplane.ts";
import { Connection } from "./connection.ts";
import { MessageTooLargeError } from "./errors.ts";
import { Hub, type Presence, type PresenceStats } from "./hub.ts";
import { checkInteger, MAX_INT32 } from "./internal/check.ts";
import { isAccepted } from "./peers/accepted.ts";
import { HardPeers } from "./peers/hard.ts";
import { NoticePlane } from "./peers/plane.ts";
import type {
  PeerHubOptions,
  PeerHubStats,
  RoomNotifyArguments,
  RoomNotifyOptions,
} from "./peers/types.ts";
import type { AnyMethods, RequestPeer, ValueMethods } from "./request.ts";
import { decodeNotice, encodeLastingNotice, LEAST, Peer } from "./request/internal.ts";

export type {
  PeerHubOptions,
  PeerHubStats,
  RoomNotifyArguments,
  RoomNotifyOptions,
} from "./peers/types.ts";

/**
 * Rooms of request peers: of what {@linkcode requests} gives. Peers join and leave; notifications go to
 * all members of a room. `Remote` has the methods that the peers answer, as in `requests<Remote>()`.
 *
 * What is said of {@linkcode Hub} holds here, too: order, limits, that nobody waits, that a connection
 * that ends leaves by itself, that hubs on a backplane act as one. In addition:
 *
 * - **Order.** What a peer is sent by itself, by `notify()` and in answers, and what it gets by its rooms
 *   stays in one order, that of the calls.
 * - **Cost.** A notification is encoded once, whoever gets it, and framed once for each framing of
 *   an endpoint.
 * - **Before the HELLO.** A peer may join as soon as there is one. What is above 1 KiB then waits for the
 *   peer's HELLO, up to 1 MiB.
 * - **Slow peers** are disconnected when `maxPendingBytes` wait for them, or do not get what is
 *   `volatile`.
 * - **What comes from the backplane** is a notification or is dropped, and counted as `foreign`. With
 *   `accepts`, it must be one of those that are listed there, with valid params.
 *
 * @example A room, and who has moved
 * ```ts
 * import { connect, listen, PeerHub, requests } from "@lengthwise/lengthwise";
 * import { assertEquals } from "@std/assert";
 *
 * interface Player {
 *   moved(params: { name: string; x: number }): void;
 * }
 * interface Game {
 *   move(params: { name: string; x: number }): void;
 * }
 *
 * using hub = new PeerHub<Player>();
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   const player = requests<Player, Game>(connection, {
 *     move(params, { peer }) {
 *       hub.notify("arena", "moved", params, { except: peer });
 *     },
 *   });
 *   hub.join("arena", player);
 *   await player.closed;
 * });
 *
 * const told = Promise.withResolvers<unknown>();
 * await using ada = requests<Game, Player>(await connect(server.endpoints[0]), {
 *   moved: told.resolve,
 * });
 * await using bob = requests<Game>(await connect(server.endpoints[0]));
 * await bob.request("move", { name: "Bob", x: 7 });
 * assertEquals(await told.promise, { name: "Bob", x: 7 });
 * ```
 */
export class PeerHub<Remote = AnyMethods> implements Disposable {
  readonly #options: PeerHubOptions<Remote>;
  readonly #maxBytes: number;
  readonly #plane: NoticePlane;
  readonly #hub: Hub;
  readonly #peers = new WeakMap<Connection, Peer>();
  readonly #hard: HardPeers;
  #state: "open" | "closed" = "open";
  #notifications = 0;
  #delivered = 0;
  #dropped = 0;
  #foreign = 0;

  /**
   * Makes a hub without rooms.
   *
   * @throws {RangeError} for a limit out of range.
   */
  constructor(options: PeerHubOptions<Remote> = {}) {
    const {
      maxNotificationBytes = 1024 * 1024,
      accepts: _,
      backplane = inProcess(),
      onJoin,
      onLeave,
      ...rest
    } = options;
    checkInteger("maxNotificationBytes", maxNotificationBytes, LEAST.messageBytes, MAX_INT32);
    this.#options = options;
    this.#maxBytes = maxNotificationBytes;
    this.#hard = new HardPeers(maxNotificationBytes);
    this.#plane = new NoticePlane(
      backplane,
      (room, message, isVolatile) => this.#take(room, message, isVolatile),
      () => this.#foreign++,
    );
    this.#hub = new Hub({
      ...rest,
      backplane: this.#plane,
      onJoin: (room, connection) => onJoin?.(room, this.#peerOf(connection)),
      onLeave: (room, connection) => onLeave?.(room, this.#peerOf(connection)),
    });
  }

  /** Counts as of now. */
  get stats(): PeerHubStats {
    const { rooms, members, delivered, dropped } = this.#hub.stats;
    return {
      rooms,
      members,
      notifications: this.#notifications,
      delivered: delivered + this.#delivered,
      dropped: dropped + this.#dropped,
      foreign: this.#foreign,
    };
  }

  /** Counts of `presence()` as of now. */
  get presenceStats(): PresenceStats {
    return this.#hub.presenceStats;
  }

  /**
   * Puts a peer into a room; returns false if it is in the room already. The peer leaves by itself when
   * its connection ends. With `data` it is present, as with {@linkcode Hub.join}.
   *
   * @throws {TypeError} if the peer was not made by `requests()` over a `Connection`; for data that is
   * no JSON.
   * @throws {RangeError} {LengthwiseError} {ConnectionClosedError} as `Hub.join()`.
   */
  join(room: string, peer: RequestPeer<Remote>, options: { data?: unknown } = {}): boolean {
    const { connection, peer: own } = checked(room, peer);
    this.#peers.set(connection, own);
    this.#hard.add(connection, own);
    return this.#hub.join(room, connection, options);
  }

  /** Takes a peer out of a room; returns false if it is not in the room. */
  leave(room: string, peer: RequestPeer<Remote>): boolean {
    return this.#hub.leave(room, connectionOf(peer));
  }

  /**
   * Notifies all members of a room, in this hub and in the others on its backplane, without waiting for
   * anyone. Returns for how many peers of this hub the notification was queued.
   *
   * @throws {TypeError} if the name is above 255 bytes, or the params are not JSON.
   * @throws {MessageTooLargeError} above `maxNotificationBytes`.
   */
  notify<Name extends ValueMethods<Remote>>(
    room: string,
    method: Name,
    ...rest: RoomNotifyArguments<Remote[Name & keyof Remote], Remote>
  ): number {
    const [params, options = {}] = rest as unknown[] as [unknown, RoomNotifyOptions<Remote>?];
    const { except, volatile = false } = options;
    if (this.#state === "closed") return 0;
    const message = encodeLastingNotice(method, params);
    if (message.length > this.#maxBytes) {
      throw new MessageTooLargeError("send", message.length, this.#maxBytes);
    }
    const queued = this.#deliver(room, message, volatile, connectionsOf(except));
    this.#plane.publish(room, message, volatile);
    return queued;
  }

  /**
   * Who is in a room, in this hub and in the others on its backplane: those that joined with `data`. A
   * peer stands where {@linkcode Hub.presence} takes a connection: `track(peer, data)`, `get(peer)`.
   *
   * @throws {LengthwiseError} if the hub is closed.
   */
  presence<D = unknown>(room: string): Presence<D> {
    return this.#hub.presence<D>(room);
  }

  /** The members of a room of this hub, in the order of joining. */
  members(room: string): RequestPeer<Remote>[] {
    return Array.from(this.#hub.members(room), (connection) => this.#peerOf(connection));
  }

  /** The rooms that have members in this hub, or those that one peer is in. */
  rooms(peer?: RequestPeer<Remote>): string[] {
    if (peer === undefined) return this.#hub.rooms();
    return this.#hub.rooms(connectionOf(peer));
  }

  /** Ends all rooms, without calls to `onLeave` and `onEmpty`. The peers stay connected. */
  close(): void {
    this.#state = "closed";
    this.#hub.close();
    this.#hard.clear();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Another hub has notified a room. */
  #take(room: string, message: Uint8Array, isVolatile: boolean): void {
    try {
      const notice = message.length > this.#maxBytes ? undefined : decodeNotice(message);
      if (notice !== undefined && isAccepted(notice, this.#options.accepts)) {
        this.#deliver(room, message, isVolatile);
        return;
      }
    } catch (error) {
      this.#report(error);
    }
    this.#foreign++;
  }

  #deliver(
    room: string,
    message: Uint8Array,
    isVolatile: boolean,
    except?: Set<Connection>,
  ): number {
    this.#notifications++;
    let queued = 0;
    if (isVolatile || !this.#hard.isEmpty) {
      except ??= new Set();
      if (isVolatile) this.#passOver(room, except);
      queued = this.#deliverApart(room, message, except);
    }
    return queued + this.#hub.broadcast(room, message, { except });
  }

  /** Slow members do not get it. */
  #passOver(room: string, except: Set<Connection>): void {
    for (const member of this.#hub.members(room)) {
      if (except.has(member) || !member.sender.isHigh) continue;
      except.add(member);
      this.#dropped++;
    }
  }

  /** Those that do not take it now get it by themselves, or not at all. */
  #deliverApart(room: string, message: Uint8Array, except: Set<Connection>): number {
    let queued = 0;
    for (const [member, peer] of this.#hard.among(this.#hub.members(room), message.length)) {
      if (except.has(member)) continue;
      except.add(member);
      if (peer.offerNotice(message, () => this.#lost())) queued++;
      else this.#dropped++;
    }
    this.#delivered += queued;
    return queued;
  }

  /** What was queued for after a peer's HELLO is too large for it, or it has ended. */
  #lost(): void {
    this.#delivered--;
    this.#dropped++;
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (onError === undefined) console.error("Error in a hub of peers:", error);
    else onError(error);
  }

  #peerOf(connection: Connection): RequestPeer<Remote> {
    return this.#peers.get(connection) as RequestPeer as RequestPeer<Remote>;
  }
}

/** The peer and its connection. */
function checked(room: string, peer: object): { peer: Peer; connection: Connection } {
  const what = `Cannot join room ${JSON.stringify(room)}`;
  if (!(peer instanceof Peer)) throw new TypeError(`${what}: the peer was not made by requests()`);
  const { connection } = peer;
  if (!(connection instanceof Connection)) {
    throw new TypeError(`${what}: what is below the peer is no Connection`);
  }
  return { peer, connection };
}

function connectionOf(peer: object): Connection {
  return (peer as Peer).connection as Connection;
}

function connectionsOf<Remote>(
  except: RoomNotifyOptions<Remote>["except"],
): Set<Connection> | undefined {
  if (except === undefined) return undefined;
  if (except instanceof Peer) return new Set([connectionOf(except)]);
  return new Set(Array.from(except as Iterable<object>, connectionOf));
}
