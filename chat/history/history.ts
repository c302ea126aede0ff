/**
 * What a chat remembers: the last messages of each room, and a few settings. `memoryHistory()` of
 * memory.ts keeps them in memory, `sqliteHistory()` of sqlite.ts in a file.
 *
 * @module
 */

import { HistoryError } from "../../errors.ts";
import { checkInteger } from "../../internal/check.ts";

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
   * The first `count` messages of a room with a higher id than `after`, oldest first.
   *
   * @throws {RangeError} for a count or an id below 0 or not an integer.
   * @throws {HistoryError} if they cannot be read, or after `close()`.
   */
  since(room: string, count: number, after: number): HistoryEntry[];
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

/** A history whose messages have their ids already, and whose settings can be told. */
export interface NumberedHistory extends History {
  /** Keeps a message. Its id must be higher than those before. */
  put(entry: HistoryEntry): HistoryEntry;
  /** All settings. */
  readonly settings: Iterable<readonly [key: string, value: string]>;
  /** All messages, those of a room in their order. Put into another history, they are the same there. */
  readonly entries: Iterable<HistoryEntry>;
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

/** Checks the count and the ids that select messages. */
export function checkRange(
  count: number,
  { before = 0, after = 0 }: { before?: number; after?: number } = {},
): void {
  for (const [name, value] of Object.entries({ count, before, after })) {
    checkInteger(name, value, 0, Number.MAX_SAFE_INTEGER);
  }
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
