/** A history in memory. */

import { HistoryError } from "../../errors.ts";
import { checkInteger } from "../../internal/check.ts";
import {
  checkEntry,
  checkRange,
  checkSetting,
  type History,
  type HistoryEntry,
  MAX_SETTINGS,
  type NumberedHistory,
  tooManySettings,
} from "./history.ts";
import { fold, queryWords } from "./search.ts";

/** Options of {@linkcode memoryHistory}. */
export interface MemoryHistoryOptions {
  /**
   * How many messages each room keeps.
   *
   * @default 1000
   */
  maxMessages?: number;
  /**
   * How many rooms may have messages. If there are more, the room that was silent for the longest
   * time is forgotten.
   *
   * @default 1000
   */
  maxRooms?: number;
  /**
   * How many bytes all messages may have together. A message counts as 128 bytes, and two for each
   * character of its room, name and text.
   *
   * @default 16_777_216
   */
  maxBytes?: number;
}

/**
 * A history in memory. It ends with the process.
 *
 * @throws {RangeError} for a limit that is not an integer or below 1.
 *
 * @example Ask for what was said
 * ```ts
 * import { memoryHistory } from "./memory.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const history = memoryHistory();
 * history.add({ room: "lobby", kind: "say", name: "Ada", text: "Hello all", time: Date.now() });
 * assertEquals(history.search("lobby", "HELLO", 10).map(({ name }) => name), ["Ada"]);
 * ```
 */
export function memoryHistory(options: MemoryHistoryOptions = {}): History {
  const { maxMessages = 1000, maxRooms = 1000, maxBytes = 16 * 1024 * 1024 } = options;
  for (const [name, limit] of Object.entries({ maxMessages, maxRooms, maxBytes })) {
    checkInteger(name, limit, 1, Number.MAX_SAFE_INTEGER);
  }
  return new MemoryHistory({ maxMessages, maxRooms, maxBytes });
}

/** A history in memory for messages that have their ids already. */
export function numberedHistory(): NumberedHistory {
  return memoryHistory() as MemoryHistory;
}

/** A message and the bytes that it counts for. */
interface MemoryEntry {
  readonly entry: HistoryEntry;
  readonly bytes: number;
}

/** The messages of a room begin at `first`. The empty places before it are removed now and then. */
interface MemoryRoom {
  kept: (MemoryEntry | undefined)[];
  first: number;
  bytes: number;
}

class MemoryHistory implements NumberedHistory {
  readonly #limits: Required<MemoryHistoryOptions>;
  /** The first one is the room that was silent for the longest time. */
  readonly #rooms = new Map<string, MemoryRoom>();
  readonly #settings = new Map<string, string>();
  #bytes = 0;
  #id = 0;
  #closed = false;

  constructor(limits: Required<MemoryHistoryOptions>) {
    this.#limits = limits;
  }

  get settings(): Iterable<readonly [key: string, value: string]> {
    return this.#settings;
  }

  get entries(): Iterable<HistoryEntry> {
    return this.#entries();
  }

  add(entry: Omit<HistoryEntry, "id">): HistoryEntry {
    return this.put({ ...entry, id: this.#id + 1 });
  }

  put({ id, room: name, ...rest }: HistoryEntry): HistoryEntry {
    this.#check();
    const { kind, name: member, text, time } = rest;
    const bytes = checkEntry({ room: name, ...rest }, this.#limits.maxBytes);
    const entry = { id: this.#id = id, room: name, kind, name: member, text, time };
    const room = this.#rooms.get(name) ?? { kept: [], first: 0, bytes: 0 };
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    room.kept.push({ entry, bytes });
    room.bytes += bytes;
    this.#bytes += bytes;
    this.#prune(room);
    return { ...entry };
  }

  last(room: string, count: number, before?: number): HistoryEntry[] {
    this.#check();
    checkRange(count, { before });
    return this.#newest(room, count, ({ id }) => before === undefined || id < before);
  }

  since(room: string, count: number, after: number): HistoryEntry[] {
    this.#check();
    checkRange(count, { after });
    return this.#newest(room, Infinity, ({ id }) => id > after, ({ id }) => id <= after)
      .slice(0, count);
  }

  search(room: string, query: string, count: number): HistoryEntry[] {
    this.#check();
    checkRange(count);
    const words = queryWords(query);
    if (words.length === 0) return [];
    return this.#newest(room, count, ({ text }) => {
      const folded = fold(text);
      return words.every((word) => folded.includes(word));
    });
  }

  lastId(room: string): number {
    this.#check();
    return this.#rooms.get(room)?.kept.at(-1)?.entry.id ?? 0;
  }

  get(key: string): string | undefined {
    this.#check();
    return this.#settings.get(key);
  }

  set(key: string, value: string | undefined): void {
    this.#check();
    if (value === undefined) {
      this.#settings.delete(key);
      return;
    }
    checkSetting(key, value);
    if (!this.#settings.has(key) && this.#settings.size >= MAX_SETTINGS) throw tooManySettings();
    this.#settings.set(key, value);
  }

  close(): void {
    this.#closed = true;
    this.#rooms.clear();
    this.#settings.clear();
  }

  *#entries(): Iterable<HistoryEntry> {
    for (const { kept, first } of this.#rooms.values()) {
      for (let i = first; i < kept.length; i++) yield kept[i]!.entry;
    }
  }

  #check(): void {
    if (this.#closed) throw new HistoryError("Cannot use history: it is closed");
  }

  /** The newest messages that fit, oldest first. It looks no further back than where it `ends`. */
  #newest(
    name: string,
    count: number,
    fits: (entry: HistoryEntry) => boolean,
    ends: (entry: HistoryEntry) => boolean = () => false,
  ): HistoryEntry[] {
    const found: HistoryEntry[] = [];
    const room = this.#rooms.get(name);
    if (room === undefined) return found;
    for (let i = room.kept.length - 1; i >= room.first && found.length < count; i--) {
      const { entry } = room.kept[i]!;
      if (ends(entry)) break;
      if (fits(entry)) found.push({ ...entry });
    }
    return found.reverse();
  }

  /** Forgets the messages and rooms that exceed a limit after a message was added to `room`. */
  #prune(room: MemoryRoom): void {
    const { maxMessages, maxRooms, maxBytes } = this.#limits;
    if (room.kept.length - room.first > maxMessages) this.#forgetOldest(room);
    if (this.#rooms.size > maxRooms) {
      const [silent, { bytes }] = this.#rooms.entries().next().value!;
      this.#rooms.delete(silent);
      this.#bytes -= bytes;
    }
    while (this.#bytes > maxBytes) {
      const [name, largest] = this.#largest(room);
      // Several are removed at once, so the largest room has to be found less often.
      const spared = largest === room ? 1 : 0;
      for (let n = 0; n < 32 && largest.kept.length - largest.first > spared; n++) {
        this.#forgetOldest(largest);
      }
      if (largest.kept.length === 0) this.#rooms.delete(name);
    }
  }

  /**
   * The room whose messages have most bytes. It is not `added` if that room has only the message
   * that was just added.
   */
  #largest(added: MemoryRoom): [name: string, room: MemoryRoom] {
    let largest: [string, MemoryRoom] | undefined;
    for (const [name, room] of this.#rooms) {
      if (room === added && room.kept.length - room.first === 1) continue;
      if (largest === undefined || room.bytes > largest[1].bytes) largest = [name, room];
    }
    return largest!;
  }

  #forgetOldest(room: MemoryRoom): void {
    const { bytes } = room.kept[room.first]!;
    room.bytes -= bytes;
    this.#bytes -= bytes;
    room.kept[room.first++] = undefined;
    if (room.first * 2 >= room.kept.length) {
      room.kept = room.kept.slice(room.first);
      room.first = 0;
    }
  }
}
