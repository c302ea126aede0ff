/**
 * How hubs agree on who is there, without network and clock: messages and times come in, messages go
 * out. docs/presence.md tells the protocol.
 */

import { Answers } from "./answers.ts";
import type { Directory } from "./directory.ts";
import { decodeMessage, encodeMessage } from "./messages.ts";
import { Own } from "./own.ts";
import { Remote } from "./remote.ts";
import type { PresenceStats, ResolvedPresenceOptions } from "./types.ts";

/** How long changes are collected before they are told, in milliseconds. */
const CHANGE_DELAY = 20;
/** Messages are cut into parts of this size. */
const PART_BYTES = 64 * 1024;
/** Of so many hubs that are gone the last number is remembered. The one that went first is forgotten. */
const MAX_GONE = 1_000;
/** If nobody has answered after so many heartbeats, nobody is there. */
const READY_HEARTBEATS = 1.5;

/** Where the messages of a hub go. */
export interface ReplicaOwner {
  /** The largest message, in bytes. */
  readonly maxMessageBytes: number;
  /** Sends to one hub by its id, or to all others. */
  send(to: string | undefined, bytes: Uint8Array): void;
  /** Those hubs that are there have told their members. It is called once. */
  ready(): void;
}

/**
 * One hub among others. Begin with `start()`. Call `wake()` when `wakeAt` has come, which may change with
 * each call. Times are milliseconds of one clock that never goes back.
 */
export class Replica {
  /** This hub's members. Call `changed()` after changing them. */
  readonly own: Own;

  readonly #hub: string;
  readonly #options: ResolvedPresenceOptions;
  readonly #directory: Directory;
  readonly #owner: ReplicaOwner;
  readonly #answers: Answers;
  readonly #remotes = new Map<string, Remote>();
  /** The last number of hubs that are gone, so that what comes late does not bring them back. */
  readonly #gone = new Map<string, number>();
  readonly #counts = {
    sent: 0,
    received: 0,
    repeated: 0,
    foreign: 0,
    repairs: 0,
    expired: 0,
    refused: 0,
  };
  #number = 0;
  #beatAt = Infinity;
  #changeAt = Infinity;
  /** Not later than when the first lease ends. */
  #expiryAt = Infinity;
  /** When those hubs are enough that were heard, and when nobody waits for them any more. */
  #readyAt = Infinity;
  #readyBy = Infinity;
  /** When all were asked whose members are not known. */
  #askedAll = -Infinity;
  /** How many hubs there are, as those say that answered. */
  #hubs = 0;
  #state: "open" | "closed" = "open";

  /** A hub that nobody has heard yet. */
  constructor(
    hub: string,
    options: ResolvedPresenceOptions,
    directory: Directory,
    owner: ReplicaOwner,
  ) {
    this.#hub = hub;
    this.#options = options;
    this.#directory = directory;
    this.#owner = owner;
    this.own = new Own(hub, directory, Math.min(owner.maxMessageBytes, PART_BYTES));
    this.#answers = new Answers(this.own, (to, bytes) => this.#sendBytes(to, bytes));
  }

  /** Counts as of now. */
  get stats(): PresenceStats {
    let { refused } = this.#counts;
    for (const remote of this.#remotes.values()) refused += remote.refused;
    return { hubs: this.#remotes.size, members: this.#directory.size, ...this.#counts, refused };
  }

  /** When to call `wake()`. */
  get wakeAt(): number {
    return Math.min(
      this.#beatAt,
      this.#changeAt,
      this.#expiryAt,
      this.#readyAt,
      this.#answers.at,
    );
  }

  /** Whether it has something to say, or waits for answers, beside heartbeats. */
  get isBusy(): boolean {
    return Math.min(this.#changeAt, this.#readyAt, this.#answers.at) < Infinity;
  }

  /** Says that this hub is there, and asks who is. */
  start(now: number): void {
    const { heartbeatInterval, leaseTimeout } = this.#options;
    this.#beatAt = now + heartbeatInterval;
    this.#readyAt = now + READY_HEARTBEATS * heartbeatInterval;
    this.#readyBy = now + leaseTimeout;
    this.#askedAll = now;
    this.#send(undefined, { kind: "ask" });
  }

  /** This hub's members have changed. The others are told soon. */
  changed(now: number): void {
    this.#changeAt = Math.min(this.#changeAt, now + CHANGE_DELAY);
  }

  /** Something has come, to all hubs or to this one. It may be from anybody. */
  receive(bytes: Uint8Array, to: "all" | "one", now: number): void {
    if (this.#state === "closed") return;
    const message = decodeMessage(bytes);
    if (message === undefined || message.hub === this.#hub) {
      this.#counts.foreign++;
      return;
    }
    const { hub, number, version } = message;
    const known = this.#remotes.get(hub);
    const last = known?.last ?? this.#gone.get(hub) ?? 0;
    // What is sent to one hub may come before or after what was sent to all.
    if (number <= last && (to === "all" || known === undefined)) {
      this.#counts.repeated++;
      return;
    }
    this.#counts.received++;
    if (message.kind === "bye") return this.#leave(hub, number);
    const remote = known ?? this.#meet(hub, last, now);
    if (remote === undefined) return;
    remote.heard = now;
    if (to === "all") remote.last = number;
    if (message.kind === "state") {
      this.#hubs = Math.max(this.#hubs, message.hubs);
      remote.took(message, now);
    } else if (message.kind === "change") remote.changed(message);
    else {
      remote.announced(version);
      if (message.kind === "ask") this.#answers.ask(hub, now);
    }
    this.#repair(hub, remote, now);
    this.#checkReady(now);
  }

  /** Does what is due. */
  wake(now: number): void {
    this.#bear(now - this.wakeAt, now);
    this.#expire(now);
    if (now >= this.#changeAt || now >= this.#answers.at) this.#sendChanges();
    if (now >= this.#beatAt) {
      this.#beatAt = now + this.#options.heartbeatInterval;
      this.#send(undefined, { kind: "beat" });
    }
    this.#answers.wake(now, () => this.#head(), this.#remotes.size + 1);
    this.#checkReady(now);
  }

  /** Says that this hub and its members go. */
  close(): void {
    this.#state = "closed";
    this.#send(undefined, { kind: "bye" });
    this.#beatAt =
      this.#changeAt =
      this.#expiryAt =
      this.#answers.at =
        Infinity;
    this.#finishReady();
  }

  /** Another hub is heard for the first time, or again. */
  #meet(hub: string, last: number, now: number): Remote | undefined {
    if (this.#remotes.size >= this.#options.maxHubs) {
      this.#counts.refused++;
      return undefined;
    }
    const remote = new Remote(hub, this.#directory, this.#options, now);
    remote.last = last;
    // Its answer to the question to all may be on its way.
    remote.asked = this.#askedAll;
    this.#remotes.set(hub, remote);
    this.#gone.delete(hub);
    this.#expiryAt = Math.min(this.#expiryAt, now + this.#options.leaseTimeout);
    return remote;
  }

  /** Asks a hub for its state if something of it was missed, unless the answer is on its way. */
  #repair(hub: string, remote: Remote, now: number): void {
    if (remote.isComplete || now - remote.asked < this.#options.heartbeatInterval / 2) return;
    remote.asked = now;
    this.#counts.repairs++;
    this.#send(hub, { kind: "ask" });
  }

  #leave(hub: string, number: number): void {
    const remote = this.#remotes.get(hub);
    remote?.leave();
    this.#counts.refused += remote?.refused ?? 0;
    this.#remotes.delete(hub);
    this.#gone.delete(hub);
    this.#gone.set(hub, number);
    if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.keys().next().value!);
  }

  /**
   * If this process stood still, the others did not, and their messages wait to be read. So they get as
   * much time as it stood still.
   */
  #bear(late: number, now: number): void {
    const { heartbeatInterval, leaseTimeout } = this.#options;
    if (late < heartbeatInterval) return;
    const earliest = now - leaseTimeout + Math.min(late, leaseTimeout);
    for (const remote of this.#remotes.values()) remote.heard = Math.max(remote.heard, earliest);
  }

  #expire(now: number): void {
    if (now < this.#expiryAt) return;
    const { leaseTimeout } = this.#options;
    this.#expiryAt = Infinity;
    for (const [hub, { heard, last }] of this.#remotes) {
      if (now - heard < leaseTimeout) {
        this.#expiryAt = Math.min(this.#expiryAt, heard + leaseTimeout);
        continue;
      }
      this.#counts.expired++;
      this.#leave(hub, last);
    }
  }

  #checkReady(now: number): void {
    if (this.#readyAt === Infinity) return;
    const isDue = now >= this.#readyAt || this.#readyAt === this.#readyBy;
    const isAll = this.#hubs > 0 && this.#remotes.size + 1 >= this.#hubs;
    const isComplete = this.#remotes.values().every((remote) => remote.isComplete);
    if (isComplete && (isAll || isDue) || now >= this.#readyBy) this.#finishReady();
    else if (isDue) this.#readyAt = this.#readyBy;
  }

  #finishReady(): void {
    if (this.#readyAt === Infinity) return;
    this.#readyAt = Infinity;
    this.#owner.ready();
  }

  #sendChanges(): void {
    this.#changeAt = Infinity;
    for (const { from, version, changes } of this.own.takeChanges()) {
      this.#sendBytes(
        undefined,
        encodeMessage({ ...this.#head(), kind: "change", version, from, changes }),
      );
    }
  }

  #send(to: string | undefined, message: { readonly kind: "beat" | "ask" | "bye" }): void {
    const { version } = this.own;
    this.#sendBytes(to, encodeMessage({ ...this.#head(), version, ...message }));
  }

  #head(): { hub: string; number: number } {
    return { hub: this.#hub, number: ++this.#number };
  }

  #sendBytes(to: string | undefined, bytes: Uint8Array): void {
    this.#counts.sent++;
    this.#owner.send(to, bytes);
  }
}
