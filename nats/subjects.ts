/** Under which subjects of NATS the messages of rooms travel. */

import { createHash } from "node:crypto";

/** Into how many parts all rooms are divided. */
const PARTS = 64;
/** A hub with more rooms of one part than this takes the whole part: so subscriptions stay few. */
const MANY_ROOMS = 32;
/** With so many it takes them one by one again. Fewer than above, so that it does not go to and fro. */
const FEW_ROOMS = 16;
/** 128 bits of a hash: no two rooms share them by chance. The envelope has the name, so it would not harm. */
const TOKEN_CHARACTERS = 22;

/** Where a room's messages are published. */
export interface Place {
  readonly part: string;
  readonly subject: string;
}

/** The subjects of a cluster. */
export class Subjects {
  readonly #prefix: string;

  /**
   * Those of the cluster with this name, which is safe in a subject: of its rooms, or of the channels
   * between its hubs.
   */
  constructor(cluster: string, kind: "room" | "channel" = "room") {
    this.#prefix = `lengthwise.${cluster}.${kind}`;
  }

  /**
   * The place of a room. Names of rooms are any strings, and subjects are not: so a hash stands for the
   * name, which has always the same length and only characters that NATS takes.
   */
  of(room: string): Place {
    const hash = createHash("sha256").update(JSON.stringify(room)).digest();
    const part = (hash[31] % PARTS).toString(16).padStart(2, "0");
    const token = hash.toString("base64url").slice(0, TOKEN_CHARACTERS);
    return { part, subject: `${this.#prefix}.${part}.${token}` };
  }

  /** All rooms of a part. */
  whole(part: string): string {
    return `${this.#prefix}.${part}.*`;
  }
}

/** A subscription at the broker. */
export interface Subscribed {
  unsubscribe(): void;
}

/** The rooms of one part that are subscribed to: one by one, or as a whole. */
interface Part {
  /** By room: the subscription to its subject, unless the part is taken as a whole. */
  readonly rooms: Map<string, Subscribed | undefined>;
  whole: Subscribed | undefined;
}

/**
 * Subscribes to rooms, with at most so many subscriptions as `PARTS` times `MANY_ROOMS`. A part that is
 * taken as a whole also brings messages of rooms that nobody here has; they are dropped.
 */
export class Subscriptions {
  readonly #subjects: Subjects;
  readonly #subscribe: (subject: string) => Subscribed;
  readonly #parts = new Map<string, Part>();

  /** `subscribe` subscribes at the broker. */
  constructor(subjects: Subjects, subscribe: (subject: string) => Subscribed) {
    this.#subjects = subjects;
    this.#subscribe = subscribe;
  }

  /** How many subscriptions there are at the broker. */
  get size(): number {
    let size = 0;
    for (const { rooms, whole } of this.#parts.values()) {
      size += whole === undefined ? rooms.size : 1;
    }
    return size;
  }

  /** Subscribes to a room. Call it once for each. */
  add(room: string): void {
    const { part: name, subject } = this.#subjects.of(room);
    let part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, part = { rooms: new Map(), whole: undefined });
    const { rooms } = part;
    rooms.set(room, part.whole === undefined ? this.#subscribe(subject) : undefined);
    if (part.whole !== undefined || rooms.size <= MANY_ROOMS) return;
    // First the whole, so that nothing is missed. What comes twice meanwhile is known by its number.
    part.whole = this.#subscribe(this.#subjects.whole(name));
    for (const [other, subscribed] of rooms) {
      subscribed?.unsubscribe();
      rooms.set(other, undefined);
    }
  }

  /** Ends the subscription to a room. */
  delete(room: string): void {
    const { part: name } = this.#subjects.of(room);
    const part = this.#parts.get(name);
    if (part === undefined) return;
    part.rooms.get(room)?.unsubscribe();
    part.rooms.delete(room);
    if (part.whole !== undefined && part.rooms.size <= FEW_ROOMS) {
      for (const other of part.rooms.keys()) {
        part.rooms.set(other, this.#subscribe(this.#subjects.of(other).subject));
      }
      part.whole.unsubscribe();
      part.whole = undefined;
    }
    if (part.rooms.size === 0) this.#parts.delete(name);
  }
}
