/** Presence in all rooms of one hub: its members, the other hubs, and the clock. */

import type { BackplaneChannels } from "../../backplane.ts";
import { LengthwiseError } from "../../errors.ts";
import { CLOCK, type Sleeper } from "../../internal/clock.ts";
import { Directory } from "./directory.ts";
import { jsonBytes, memberId, newHubId } from "./messages.ts";
import { Replica } from "./replica.ts";
import type { PresenceStats, ResolvedPresenceOptions } from "./types.ts";

/** Where hubs speak to all others about presence. Each also has a channel of its own, below. */
const CHANNEL = "presence";

/** The counts of a hub that does not use presence. */
export const NO_PRESENCE: PresenceStats = {
  hubs: 0,
  members: 0,
  sent: 0,
  received: 0,
  repeated: 0,
  foreign: 0,
  repairs: 0,
  expired: 0,
  refused: 0,
};

/** What presence needs of its hub. */
export interface PresencesOwner {
  /** Whether a connection is in a room of the hub. */
  has(room: string, connection: number): boolean;
  /** Something failed that nobody waits for. */
  failed(error: unknown): void;
}

/** Joins a hub's members, its backplane and the clock. */
export class Presences implements Sleeper {
  /** Heartbeats do not keep the process running; what somebody may wait for does. */
  holds = false;
  /** Who is where. */
  readonly directory: Directory;
  /** Resolves when the other hubs have told who is there. */
  readonly ready: Promise<void>;

  readonly #hub = newHubId();
  readonly #options: ResolvedPresenceOptions;
  readonly #owner: PresencesOwner;
  readonly #channels: BackplaneChannels | undefined;
  readonly #replica: Replica;
  /** When the clock rings. */
  #time = Infinity;
  #state: "open" | "closed" = "open";

  /** Without channels, only this hub's members are known. */
  constructor(
    options: ResolvedPresenceOptions,
    channels: BackplaneChannels | undefined,
    owner: PresencesOwner,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#options = options;
    this.#owner = owner;
    this.#channels = channels;
    this.directory = new Directory(options);
    this.#replica = new Replica(this.#hub, options, this.directory, {
      maxMessageBytes: channels?.maxMessageBytes ?? Infinity,
      send: (to, bytes) => channels?.publish(channelOf(to), bytes),
      ready: resolve,
    });
    if (channels === undefined) {
      resolve();
      return;
    }
    channels.subscribe(CHANNEL, (bytes) => this.#take(bytes, "all"));
    channels.subscribe(channelOf(this.#hub), (bytes) => this.#take(bytes, "one"));
    this.#do((now) => this.#replica.start(now));
  }

  /** Counts as of now. */
  get stats(): PresenceStats {
    return this.#replica.stats;
  }

  /** The id of a connection of this hub, as a member. */
  idOf(connection: number): string {
    return memberId(this.#hub, connection);
  }

  /**
   * Checks whether a connection can be present in a room with this data, and returns the data as the
   * others will see it.
   *
   * @throws {TypeError} {RangeError} {LengthwiseError} if it cannot.
   */
  check(room: string, connection: number, data: unknown): unknown {
    const what = `Cannot be present in room ${JSON.stringify(room)}`;
    if (this.#state === "closed") throw new LengthwiseError(`${what}: the hub is closed`);
    let json: string | undefined;
    try {
      json = JSON.stringify(data);
    } catch (cause) {
      throw new TypeError(`${what}: its data cannot be JSON`, { cause });
    }
    if (json === undefined) throw new TypeError(`${what}: its data cannot be JSON`);
    const { maxDataBytes } = this.#options;
    const copy = JSON.parse(json);
    const bytes = jsonBytes(copy);
    if (bytes > maxDataBytes) {
      throw new RangeError(
        `${what}: its data has ${bytes} bytes as JSON, limit is ${maxDataBytes}`,
      );
    }
    if (this.#replica.own.since(room, connection) !== undefined) return copy;
    const problem = this.directory.problem(room);
    if (problem !== undefined) throw new LengthwiseError(`${what}: ${problem}`);
    return copy;
  }

  /** Whether a connection is in a room of this hub. */
  has(room: string, connection: number): boolean {
    return this.#owner.has(room, connection);
  }

  /** A connection is present in a room, with data that `check()` has returned. */
  put(room: string, connection: number, data: unknown): void {
    const { own } = this.#replica;
    const since = own.since(room, connection) ?? Date.now();
    this.#do((now) => {
      own.put([room, connection, since, data]);
      this.#replica.changed(now);
    });
  }

  /** A connection has left a room. */
  delete(room: string, connection: number): void {
    if (!this.#replica.own.delete(room, connection)) return;
    this.#do((now) => this.#replica.changed(now));
  }

  /** Tells the others that this hub's members have gone. */
  close(): void {
    if (this.#state === "closed") return;
    this.#do(() => this.#replica.close());
    this.#state = "closed";
    CLOCK.delete(this, this.#time);
    this.#channels?.unsubscribe(CHANNEL);
    this.#channels?.unsubscribe(channelOf(this.#hub));
    this.directory.close();
  }

  /** The time has come that was asked for. */
  ring(): void {
    this.#time = Infinity;
    this.#do((now) => this.#replica.wake(now));
  }

  #take(bytes: Uint8Array, to: "all" | "one"): void {
    this.#do((now) => this.#replica.receive(bytes, to, now));
  }

  /** Does something, and sets the clock for what is to be done next. */
  #do(action: (now: number) => void): void {
    if (this.#state === "closed") return;
    try {
      action(performance.now());
    } catch (error) {
      this.#owner.failed(error);
    }
    const { wakeAt, isBusy } = this.#replica;
    if (this.#channels === undefined || wakeAt >= this.#time && isBusy === this.holds) return;
    CLOCK.delete(this, this.#time);
    this.#time = Infinity;
    if (wakeAt === Infinity) return;
    this.holds = isBusy;
    this.#time = CLOCK.add(this, wakeAt, 1);
  }
}

function channelOf(hub: string | undefined): string {
  return hub === undefined ? CHANNEL : `${CHANNEL}.${hub}`;
}
