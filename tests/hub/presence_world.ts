/**
 * Hubs' presence over a backplane that loses, delays and doubles messages, and mixes those of several hubs
 * and channels; with a clock that is moved by hand.
 */

import { Directory } from "../../hub/presence/directory.ts";
import { memberId } from "../../hub/presence/messages.ts";
import { resolvePresenceOptions } from "../../hub/presence/options.ts";
import { Replica } from "../../hub/presence/replica.ts";
import type { PresenceOptions, ResolvedPresenceOptions } from "../../hub/presence/types.ts";

/** What goes wrong, as probabilities and milliseconds. */
export interface Trouble {
  loss?: number;
  doubled?: number;
  delay?: number;
}

/** Numbers that look random and are the same in each run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Letter {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly to: "all" | "one";
  readonly hub: Site;
}

/** One hub. */
export class Site {
  readonly directory: Directory;
  readonly replica: Replica;
  state: "running" | "frozen" | "dead" = "running";
  isReady = false;

  constructor(
    readonly world: World,
    readonly id: string,
    options: ResolvedPresenceOptions,
    maxMessageBytes: number,
  ) {
    this.directory = new Directory(options);
    this.replica = new Replica(id, options, this.directory, {
      maxMessageBytes,
      send: (to, bytes) => world.carry(this, to, bytes),
      ready: () => this.isReady = true,
    });
  }

  /** Somebody is in a room, new or with other data. */
  join(room: string, connection: number, data: unknown = null): void {
    const since = this.replica.own.since(room, connection) ?? Math.round(this.world.now);
    this.replica.own.put([room, connection, since, data]);
    this.replica.changed(this.world.now);
  }

  leave(room: string, connection: number): void {
    if (this.replica.own.delete(room, connection)) this.replica.changed(this.world.now);
  }

  /** Who is in a room, as this hub sees it. */
  members(room: string): string[] {
    return [...this.directory.members(room).keys()].toSorted();
  }

  member(connection: number): string {
    return memberId(this.id, connection);
  }
}

/** All hubs and what is on the way between them. */
export class World {
  now = 1_000;
  trouble: Trouble = {};
  /** Pairs of hubs that do not hear each other. */
  cut: (from: Site, to: Site) => boolean = () => false;
  sentBytes = 0;
  largest = 0;
  readonly sites: Site[] = [];
  readonly #options: ResolvedPresenceOptions;
  readonly #maxMessageBytes: number;
  readonly #random: () => number;
  /** When the last message comes of one hub to another by one channel: the next one comes later. */
  readonly #ways = new Map<string, number>();
  #letters: Letter[] = [];

  constructor(
    options: PresenceOptions & { seed?: number; maxMessageBytes?: number } = {},
  ) {
    const { seed = 1, maxMessageBytes = Infinity, ...rest } = options;
    this.#options = resolvePresenceOptions(rest);
    this.#maxMessageBytes = maxMessageBytes;
    this.#random = randomOf(seed);
  }

  add(): Site {
    const id = (this.sites.length + 1).toString(16).padStart(16, "0");
    const site = new Site(this, id, this.#options, this.#maxMessageBytes);
    this.sites.push(site);
    site.replica.start(this.now);
    return site;
  }

  carry(from: Site, to: string | undefined, bytes: Uint8Array): void {
    this.sentBytes += bytes.length;
    this.largest = Math.max(this.largest, bytes.length);
    const { loss = 0, doubled = 0, delay = 0 } = this.trouble;
    for (const hub of this.sites) {
      if (hub === from || to !== undefined && hub.id !== to || this.cut(from, hub)) continue;
      for (const isCopy of [false, true]) {
        if (isCopy ? this.#random() >= doubled : this.#random() < loss) continue;
        const way = `${from.id} ${to} ${hub.id}`;
        const soonest = this.now + 1 + this.#random() * delay;
        const at = isCopy ? soonest + delay : Math.max(soonest, this.#ways.get(way) ?? 0);
        if (!isCopy) this.#ways.set(way, at);
        this.#letters.push({ at, bytes, to: to === undefined ? "all" : "one", hub });
      }
    }
  }

  /** Lets time pass, and whatever happens meanwhile. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const running = this.sites.filter(({ state }) => state === "running");
      const letter = this.#letters.filter(({ hub }) => hub.state === "running")
        .reduce<Letter | undefined>((a, b) => a !== undefined && a.at <= b.at ? a : b, undefined);
      const wakeAt = Math.min(...running.map(({ replica }) => replica.wakeAt));
      const at = Math.min(letter?.at ?? Infinity, wakeAt);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (letter !== undefined && letter.at <= wakeAt) {
        this.#letters.splice(this.#letters.indexOf(letter), 1);
        letter.hub.replica.receive(letter.bytes, letter.to, this.now);
      } else {
        for (const { replica } of running) {
          if (replica.wakeAt <= this.now) replica.wake(this.now);
        }
      }
    }
    this.#letters = this.#letters.filter(({ hub }) => hub.state !== "dead");
    this.now = end;
  }
}
