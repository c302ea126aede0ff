/** One server's part in a cluster: what it asks the log for, what the log says, and who is there. */

import { BackplaneError } from "../../errors.ts";
import type { Deed } from "../engine/deeds.ts";
import type { Member, Person } from "../engine/member.ts";
import type { ChatParts, Order } from "../engine/order.ts";
import { Apart } from "./apart.ts";
import { hashOf, itemOf, textOf } from "./asking.ts";
import { GuestBlock } from "./guest_block.ts";
import { type Batch, decodeBatch, type Item } from "./items.ts";
import { Lane, MAX_ITEMS, type Waiting } from "./lane.ts";
import { Replica } from "./replica.ts";
import { decodeBeat, encodeBeat } from "./servers.ts";
import type { LogEntry, LogOwner, SavedState, SharedLog } from "./shared_log.ts";
import type { SiteOptions, SiteStats, Start } from "./site_options.ts";
import { recordOf } from "./snapshot.ts";

/** How often it is looked at whether the others can be reached, in milliseconds. */
const LOOK = 250;
/** The others are away when the broker is, or refuses to keep anything, for this time. */
const MAX_AWAY = 1_500;
/** Or when it has kept nothing for this time. Brokers that lost one of them may take 10 s to go on. */
const MAX_WAIT = 20_000;

/** One server's part. */
export class Site implements Order, LogOwner {
  readonly guests: GuestBlock;
  readonly server: string;
  /** Entries that came twice, came from servers that are gone, and are none of ours. */
  readonly #counts = { repeated: 0, late: 0, foreign: 0 };
  readonly #chat: ChatParts;
  readonly #options: SiteOptions;
  readonly #log: SharedLog;
  readonly #lane: Lane;
  readonly #replica: Replica;
  readonly #ready = Promise.withResolvers<void>();
  readonly #timers: (() => void)[];
  #whyApart: string | undefined;
  #state: "reading" | "coming" | "together" | "apart" | "leaving" | "closed" = "reading";
  /** How often it has come in. */
  #times = 0;
  #awaySince: number | undefined;
  /** The number of the last entry that was read, and of the one that must be before one can come in. */
  #read: number;
  readonly #target: number;
  #sinceState = 0;
  readonly #apart: Apart;

  constructor(chat: ChatParts, { at, target, snapshot }: Start, options: SiteOptions) {
    this.#chat = chat;
    this.#apart = new Apart(chat);
    this.#options = options;
    this.#log = options.log;
    this.server = options.server;
    this.#read = at;
    this.#target = target;
    this.guests = new GuestBlock(() => this.#add({ do: "guests" }));
    this.#lane = new Lane(this.#nextHome(), options.maxWaitingBytes, (id, entry, signal) => {
      return this.#log.append(id, entry, signal);
    });
    this.#replica = new Replica(chat, {
      home: () => this.home,
      gotGuests: (last) => this.guests.add(last),
      serverChanged: (home, change) => {
        // What was before this server came is no news.
        if (home === this.home || this.#state === "reading") return;
        options.onEvent({ event: `server-${change}`, server: home.split(".")[0] });
      },
    });
    if (snapshot !== undefined) this.#replica.restore(snapshot);
    this.#log.read(at, this);
    const { every = intervals, beatInterval } = options;
    this.#timers = [
      every(() => this.#look(), LOOK),
      every(() => this.#beat(), beatInterval),
    ];
    this.#comeWhenRead();
  }

  /** The name of this server in the log. */
  get home(): string {
    return this.#lane.home;
  }

  /** Resolves when this server knows what the others know, and is one of them. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** How it is now. */
  get stats(): SiteStats {
    const { beats, size: servers } = this.#replica.servers;
    return {
      isTogether: this.#state === "together",
      servers,
      members: this.#chat.state.members.size,
      lag: this.#lag,
      waitingBytes: this.#lane.bytes,
      beats,
      ...this.#counts,
    };
  }

  /** For how long the oldest deed waits, in milliseconds. */
  get #lag(): number {
    const { since } = this.#lane;
    return since === undefined ? 0 : performance.now() - since;
  }

  /** See {@linkcode Order}. */
  summary(): string {
    return this.#options.summaryOf(this.stats);
  }

  /** See {@linkcode Order}. */
  ask(deed: Deed & { who: Member }): Promise<void> | undefined {
    const text = textOf(deed);
    const since = performance.now();
    const isPassing = deed.do === "come" || deed.do === "go";
    if (this.#state === "closed") return undefined;
    if (!isPassing && !this.#lane.hasRoomFor(text)) return this.#apart.refuse(deed);
    if (this.#state !== "apart") {
      const what = this.#waiting(() => itemOf(deed, since), text, deed);
      this.#lane.add(what);
      return what.done.promise;
    }
    if (deed.do !== "say" && !isPassing) return this.#apart.tellOne(deed.who);
    if (this.#apart.isShown(deed, this.#lane.waiting)) return undefined;
    const what = this.#waiting(() => itemOf(deed, since), text, deed);
    this.#apart.show(what);
    this.#lane.add(what);
  }

  /** See {@linkcode Order}. Keys are known by their hashes. */
  isKeyOf(key: string, person: Person): boolean {
    return person.keyHash !== undefined && person.keyHash === hashOf(key);
  }

  /** See {@linkcode Order}. */
  entered(member: Member): void {
    if (this.#state === "apart") this.#apart.tellOne(member);
  }

  /** The log has one more entry. */
  entry({ seq, time, bytes }: LogEntry): void {
    if (this.#state === "closed") return;
    this.#read = seq;
    const batch = decodeBatch(bytes);
    if (batch === "foreign") this.#counts.foreign++;
    else if (batch === "newer") {
      this.#failed(
        new BackplaneError(
          "Cannot read the cluster's log: it is of a newer version. Start this server again with that",
        ),
      );
    } else this.#take(batch, seq, time);
    if (++this.#sinceState >= this.#options.entriesPerState) this.#writeState();
    if (this.#state === "reading") this.#comeWhenRead();
  }

  /** A server has told of itself. */
  beat(bytes: Uint8Array): void {
    const beat = decodeBeat(bytes);
    if (beat === undefined) {
      this.#counts.foreign++;
      return;
    }
    this.#replica.servers.heard(beat);
    if (beat.home !== this.home || this.#state === "reading") return;
    for (const server of this.#replica.servers.missing(this.home)) {
      this.#add({ do: "gone", server });
    }
  }

  /** A server is known to be gone, before its silence tells. */
  gone(server: string): void {
    for (const home of this.#replica.servers.homesOf(server)) {
      this.#add({ do: "gone", server: home });
    }
  }

  /** The state as of the last entry that was read. */
  write(): SavedState {
    return { at: this.#read, state: this.#replica.write(this.#options.history.settings) };
  }

  /** The broker was lost, or is back. */
  connected(isConnected: boolean): void {
    this.#awaySince = isConnected ? undefined : performance.now();
    // What comes back from the log tells that the others are reached again.
    if (isConnected && this.#state === "apart") this.#add({ do: "nothing" });
  }

  /** Leaves the cluster: its members are gone at all servers. */
  async close(timeout: number): Promise<void> {
    if (this.#state === "together") {
      this.#state = "leaving";
      const what = this.#waiting(() => ({ do: "gone", server: this.home }), "");
      this.#lane.add(what);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, timeout);
      await Promise.race([what.done.promise, late.promise]);
      clearTimeout(timer);
    }
    this.#state = "closed";
    for (const end of this.#timers) end();
    this.#lane.close();
    this.#ready.resolve();
  }

  #nextHome(): string {
    return `${this.server}.${++this.#times}`;
  }

  #waiting(item: () => Item, text: string, deed?: Deed): Waiting {
    return { item, text, deed, since: performance.now(), done: Promise.withResolvers() };
  }

  #add(item: Item): void {
    if (this.#state !== "closed") this.#lane.add(this.#waiting(() => item, ""));
  }

  /** Comes in when everything was read that was there at the start. */
  #comeWhenRead(): void {
    if (this.#read < this.#target || this.#state !== "reading") return;
    this.#state = "coming";
    this.#add({ do: "up" });
  }

  #take(batch: Batch, seq: number, time: number): void {
    const { servers } = this.#replica;
    const { from, number, items } = batch;
    if (items[0]?.do === "up" && !servers.has(from) && !servers.isGone(from)) {
      servers.add(from, 0);
      this.#replica.came(from);
    }
    if (!servers.has(from)) {
      this.#counts.late++;
      return;
    }
    if (!servers.take(from, number)) {
      this.#counts.repeated++;
      return;
    }
    const isOurs = from === this.home;
    const sent = isOurs ? this.#lane.arrived(number) : [];
    if (isOurs) this.#heard();
    for (const [index, item] of items.entries()) {
      const ago = item.do === "say" ? item.ago ?? 0 : 0;
      const stamp = {
        id: seq * (MAX_ITEMS + 1) + index + 1,
        time: time - ago,
        provisional: sent[index]?.provisional,
      };
      try {
        const isGone = item.do === "gone" && item.server === this.home;
        if (isGone && this.#state !== "leaving") this.#comeAgain(item, stamp);
        else this.#replica.happen(item, from, stamp);
      } catch (error) {
        this.#failed(error);
      }
    }
    for (const { done } of sent) done.resolve();
  }

  /** Something of this server has come back from the log: the others get it, too. */
  #heard(): void {
    if (this.#state === "coming") {
      this.#state = "together";
      this.#ready.resolve();
    } else if (this.#state === "apart" && this.#log.isConnected) {
      this.#state = "together";
      this.#apart.ends();
      this.#options.onEvent({ event: "together" });
    }
  }

  /** This server was taken for gone: it comes in again, with all that are still connected to it. */
  #comeAgain(item: Item & { do: "gone" }, stamp: { id: number; time: number }): void {
    const { state, audience, connected } = this.#chat;
    const { home } = this;
    const here = [...connected.values()].filter((member) => state.members.has(member));
    const records = here.map((member) => recordOf(member));
    this.#replica.happen(item, home, stamp);
    const next = this.#nextHome();
    for (const member of connected.values()) member.home = next;
    for (const member of here) {
      const { name } = member.room;
      member.room = state.rooms.find(name) ?? state.rooms.open(name);
      audience.add(member);
    }
    this.#lane.restart(next, [
      this.#waiting(() => ({ do: "up" }), ""),
      ...records.map((record) =>
        this.#waiting(() => ({ do: "back", ...record }), JSON.stringify(record))
      ),
    ]);
    this.#options.onEvent({ event: "came-again", members: here.length });
  }

  /** Writes down the state, if this server is the one that does. */
  async #writeState(): Promise<void> {
    this.#sinceState = 0;
    if (this.#replica.servers.first !== this.home) return;
    try {
      await this.#log.save?.(this.write());
    } catch (error) {
      this.#failed(error); // It is tried again after as many entries.
    }
  }

  #beat(): void {
    if (this.#state === "reading" || this.#state === "closed") return;
    const { server, version } = this.#options;
    const endpoints = this.#options.endpoints();
    const members = this.#chat.connected.size;
    const { home } = this;
    this.#log.beat(encodeBeat({ home, server, version, members, read: this.#read, endpoints }));
  }

  /** Looks whether the others can be reached. */
  #look(): void {
    const { isCut, isRefused, problem } = this.#log;
    if (this.#state === "apart" && isCut && problem !== this.#whyApart) this.#tellApart();
    if (this.#state !== "together") return;
    const away = performance.now() - (this.#awaySince ?? Infinity);
    if (!isCut && away < MAX_AWAY && this.#lag < (isRefused ? MAX_AWAY : MAX_WAIT)) return;
    this.#state = "apart";
    this.#tellApart();
    this.#apart.begins();
    for (const what of this.#lane.waiting) {
      this.#apart.show(what);
      what.done.resolve();
    }
  }

  #tellApart(): void {
    const reason = this.#whyApart = this.#log.problem ?? "the broker does not answer";
    this.#options.onEvent({ event: "apart", reason });
  }

  #failed(error: unknown): void {
    this.#options.onEvent({ event: "error", error });
  }
}

function intervals(callback: () => void, interval: number): () => void {
  const timer = setInterval(callback, interval);
  return () => clearInterval(timer);
}
