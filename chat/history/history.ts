/**
 * What a chat remembers: the last messages of each room, and a few settings. `memoryHistory()`
 * keeps them in memory, `sqliteHistory()` in a file.
 *
 * @module
 */

import { HistoryError } from "../../errors.ts";
import { checkInteger } from "../../internal/check.ts";
import { fold, queryWords } from "./search.ts";

/** A message that a room remembers. */
export interface HistoryEntry {
  /**
   * Its number. It is one more than the number of the message before it, in any room. No number is
   * used twice.
   */
  readonly id: number;
  /** The room that it was said in. */
  readonly room: string;
  /** `say` for a message, `me` for an action with `/me`. */
  readonly kind: "say" | "me";
  /** Who said it. */
  readonly name: string;
  /** What was said. */
  readonly text: string;
  /** When, in whole milliseconds since 1970. */
  readonly time: number;
}

/**
 * A bounded memory of messages and settings.
 *
 * - A room, a name, a text or a key may be any string. It comes back exactly as it was given.
 * - Ids grow by one across all rooms. No id is given twice, also after a restart.
 * - When a limit is exceeded, the oldest entries are forgotten first. When the messages of all
 *   rooms have too many bytes, the room that has most loses its oldest messages. So a flood in one
 *   room costs only that room.
 * - A call that fails changes nothing, and the history stays usable.
 */
export interface History {
  /**
   * Keeps a message and gives it its id. When this returns, the message is as safe as this kind of
   * history promises.
   *
   * @throws {RangeError} for a time that is no whole number, or a message above `maxBytes`.
   * @throws {HistoryError} if it cannot be kept, or after `close()`.
   */
  add(entry: Omit<HistoryEntry, "id">): HistoryEntry;
  /**
   * The last messages of a room, oldest first. With `before`, the last messages with a lower id.
   *
   * @throws {RangeError} for a count or an id below 0 or not an integer.
   * @throws {HistoryError} if they cannot be read, or after `close()`.
   */
  last(room: string, count: number, before?: number): HistoryEntry[];
  /**
   * The newest `count` messages of a room whose text contains every word of the query, oldest
   * first. A word may be part of a longer word, and its case does not matter. A query without words
   * finds nothing.
   *
   * @throws {RangeError} for a query longer than 256 characters, a count below 0 or not an integer.
   * @throws {HistoryError} if they cannot be read, or after `close()`.
   */
  search(room: string, query: string, count: number): HistoryEntry[];
  /**
   * The id of a room's newest message. 0 if there is none.
   *
   * @throws {HistoryError} if it cannot be read, or after `close()`.
   */
  lastId(room: string): number;
  /**
   * The setting that is kept under a key. Undefined if there is none.
   *
   * @throws {HistoryError} if it cannot be read, or after `close()`.
   */
  get(key: string): string | undefined;
  /**
   * Keeps a setting, such as a topic or a ban. The value `undefined` removes the setting.
   *
   * @throws {RangeError} when key and value together have more than 4096 characters.
   * @throws {HistoryError} for a new key when there are 10 000, if it cannot be kept, or after
   * `close()`.
   */
  set(key: string, value: string | undefined): void;
  /** Closes the history. Does nothing if it is closed already. */
  close(): void;
}

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

/** How many settings a history keeps. */
export const MAX_SETTINGS = 10_000;

/** The longest setting: key and value together, in UTF-16 code units. */
const MAX_SETTING_LENGTH = 4096;

/** The furthest time that a `Date` can hold. */
const MAX_TIME = 8.64e15;

/** Checks a message before it is kept. Returns the bytes that it counts for. */
export function checkEntry(entry: Omit<HistoryEntry, "id">, maxBytes: number): number {
  checkInteger("time", entry.time, -MAX_TIME, MAX_TIME);
  const bytes = 128 + 2 * (entry.room.length + entry.name.length + entry.text.length);
  if (bytes > maxBytes) {
    throw new RangeError(`Cannot keep message of ${bytes} bytes: limit is ${maxBytes} bytes`);
  }
  return bytes;
}

/** Checks the count and the id that select messages. */
export function checkRange(count: number, before: number = Number.MAX_SAFE_INTEGER): void {
  checkInteger("count", count, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("before", before, 0, Number.MAX_SAFE_INTEGER);
}

/** Checks the size of a setting. */
export function checkSetting(key: string, value: string): void {
  const length = key.length + value.length;
  if (length > MAX_SETTING_LENGTH) {
    throw new RangeError(
      `Cannot keep setting of ${length} characters: limit is ${MAX_SETTING_LENGTH} characters`,
    );
  }
}

/** The error for a new setting when there are too many. */
export function tooManySettings(): HistoryError {
  return new HistoryError(`Cannot keep setting: limit is ${MAX_SETTINGS} keys`);
}

/**
 * A history in memory. It ends with the process.
 *
 * @throws {RangeError} for a limit that is not an integer or below 1.
 *
 * @example Ask for what was said
 * ```ts
 * import { memoryHistory } from "./history.ts";
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

class MemoryHistory implements History {
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

  add({ room: name, ...rest }: Omit<HistoryEntry, "id">): HistoryEntry {
    this.#check();
    const { kind, name: member, text, time } = rest;
    const bytes = checkEntry({ room: name, ...rest }, this.#limits.maxBytes);
    const entry = { id: ++this.#id, room: name, kind, name: member, text, time };
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
    checkRange(count, before);
    return this.#newest(room, count, ({ id }) => before === undefined || id < before);
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

  #check(): void {
    if (this.#closed) throw new HistoryError("Cannot use history: it is closed");
  }

  /** The newest messages that fit, oldest first. */
  #newest(name: string, count: number, fits: (entry: HistoryEntry) => boolean): HistoryEntry[] {
    const found: HistoryEntry[] = [];
    const room = this.#rooms.get(name);
    if (room === undefined) return found;
    for (let i = room.kept.length - 1; i >= room.first && found.length < count; i--) {
      const { entry } = room.kept[i]!;
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
