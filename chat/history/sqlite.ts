/**
 * A chat's history in a file, which outlives the process.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { HistoryError } from "../../errors.ts";
import { checkInteger } from "../../internal/check.ts";
import { copyFile } from "./copy.ts";
import {
  closeFile,
  commit,
  fromStoredText,
  hold,
  openFile,
  rollBack,
  sqliteReason,
  toStoredText,
} from "./file.ts";
import {
  checkEntry,
  checkRange,
  checkSetting,
  type History,
  type HistoryEntry,
  MAX_SETTINGS,
  tooManySettings,
} from "./history.ts";
import { Pruner } from "./pruner.ts";
import { fold, queryWords } from "./search.ts";

/** Options of {@linkcode sqliteHistory}. */
export interface SqliteHistoryOptions {
  /**
   * Messages that each room keeps. Up to a sixteenth more, 31 at most, stay until they are removed
   * together.
   *
   * @default 10_000
   */
  maxMessages?: number;
  /**
   * Rooms to remember; above it the one that was silent for longest is forgotten.
   *
   * @default 1000
   */
  maxRooms?: number;
  /**
   * Bytes of all messages, each counted as 128 and two per character of room, name and text. The
   * file is seldom larger.
   *
   * @default 268_435_456
   */
  maxBytes?: number;
  /**
   * How old a message may be, in milliseconds. What is older is not shown, and removed little by
   * little as new messages come.
   *
   * @default 2_592_000_000 (30 days)
   */
  maxAge?: number;
  /**
   * Whether each message is on the disk itself before `add()` returns, so that it survives a power
   * cut too. That takes as long as the disk needs, often milliseconds, for which everything waits.
   *
   * @default false
   */
  survivePowerCut?: boolean;
  /**
   * Tells the time, in milliseconds since 1970, by which messages grow old.
   *
   * @default Date.now
   */
  now?: () => number;
}

/**
 * A history in an SQLite file, which is made if there is none.
 *
 * - What `add()` and `set()` returned for survives the end of the process, however it ends: it is
 *   with the system then. A power cut or a crash of the system may take the last moments, but never
 *   damages the file. With `survivePowerCut` it takes nothing.
 * - One process at a time writes the file. Others can read it meanwhile, and copy it with
 *   {@linkcode backUpHistory}, or sqlite3's `.backup` and `VACUUM INTO`. Beside it lie FILE-wal and
 *   FILE-shm while it is open, so a plain copy of FILE alone may lack the last messages.
 * - The file must be on a disk of this machine: others' disks do not tell processes apart.
 * - It needs `--allow-read=FILE --allow-write=FILE`, and never makes Deno ask for them.
 * - A search reads a room from its newest message until it has found enough.
 *
 * @throws {RangeError} for a limit that is not an integer or below 1.
 * @throws {TypeError} for a file name that is empty, `:memory:`, or holds NUL.
 * @throws {HistoryError} if the file cannot be opened: no permission, open elsewhere, no history,
 * damaged, or written by a newer version of this module.
 *
 * @example A history that is there after a restart
 * ```ts
 * import { sqliteHistory } from "./sqlite.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const file = `${Deno.makeTempDirSync()}/chat.db`;
 * const before = sqliteHistory(file);
 * before.add({ room: "lobby", kind: "say", name: "Ada", text: "Remember", time: Date.now() });
 * before.close();
 *
 * const after = sqliteHistory(file);
 * assertEquals(after.last("lobby", 10).map(({ text }) => text), ["Remember"]);
 * after.close();
 * ```
 */
export function sqliteHistory(file: string, options: SqliteHistoryOptions = {}): History {
  const {
    maxMessages = 10_000,
    maxRooms = 1000,
    maxBytes = 256 * 1024 * 1024,
    maxAge = 30 * 24 * 60 * 60 * 1000,
    survivePowerCut = false,
    now = Date.now,
  } = options;
  const limits = { maxMessages, maxRooms, maxBytes, maxAge };
  for (const [name, limit] of Object.entries(limits)) {
    checkInteger(name, limit, 1, Number.MAX_SAFE_INTEGER);
  }
  const database = openFile(file, survivePowerCut ? "FULL" : "NORMAL");
  try {
    return new SqliteHistory(database, file, { ...limits, survivePowerCut, now });
  } catch (cause) {
    database.close();
    throw new HistoryError(`Cannot open history ${file}: ${sqliteReason(cause)}`, { cause });
  }
}

/**
 * Copies a history to another file, also while a chat writes it: everything that was kept when the copy
 * began is in it, and it can be opened as a history.
 *
 * It needs `--allow-read=FILE --allow-write=FILE` for both files, and never makes Deno ask for them.
 *
 * @throws {TypeError} for a file name that is empty, `:memory:`, or holds NUL.
 * @throws {HistoryError} if the one cannot be read, or the other is there already or cannot be written.
 *
 * @example A copy of a history that is in use
 * ```ts
 * import { backUpHistory, sqliteHistory } from "./sqlite.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const history = sqliteHistory(`${folder}/chat.db`);
 * history.add({ room: "lobby", kind: "say", name: "Ada", text: "Remember", time: Date.now() });
 * await backUpHistory(`${folder}/chat.db`, `${folder}/copy.db`);
 * history.close();
 *
 * const copy = sqliteHistory(`${folder}/copy.db`);
 * assertEquals(copy.last("lobby", 10).map(({ text }) => text), ["Remember"]);
 * copy.close();
 * ```
 */
export async function backUpHistory(file: string, to: string): Promise<void> {
  await copyFile(file, to);
}

/** The columns of an entry. */
const COLUMNS = "id, kind, name, text, time";

class SqliteHistory implements History {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #options: Required<SqliteHistoryOptions>;
  readonly #pruner: Pruner;
  readonly #statements = new Map<string, StatementSync>();
  #id: number;
  #settings: number;

  constructor(database: DatabaseSync, file: string, options: Required<SqliteHistoryOptions>) {
    this.#database = database;
    this.#file = file;
    this.#options = options;
    this.#pruner = new Pruner((sql) => this.#sql(sql), options);
    // The room that was used last is never forgotten, so it knows the last id.
    this.#id = this.#sql("SELECT max(last) AS id FROM rooms").get()!.id as number ?? 0;
    this.#settings = this.#sql("SELECT count(*) AS count FROM settings").get()!.count as number;
  }

  add(entry: Omit<HistoryEntry, "id">): HistoryEntry {
    const { room, kind, name, text, time } = entry;
    const bytes = checkEntry(entry, this.#options.maxBytes);
    const id = this.#id + 1;
    const stored = toStoredText(text);
    const folded = fold(text);
    this.#write("keep message in", () => {
      const key = this.#enter(toStoredText(room), id, bytes);
      this.#sql("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
        key,
        id,
        kind === "me" ? 1 : 0,
        time,
        bytes,
        toStoredText(name),
        stored,
        folded === stored ? null : folded,
      );
      this.#pruner.prune(key, id);
    });
    this.#id = id;
    return { id, room, kind, name, text, time };
  }

  last(
    room: string,
    count: number,
    before: number = Number.MAX_SAFE_INTEGER,
  ): HistoryEntry[] {
    checkRange(count, before);
    return this.#read((key, oldest) =>
      this.#sql(
        `SELECT ${COLUMNS} FROM messages WHERE room = ? AND id < ? AND time >= ?
         ORDER BY id DESC LIMIT ?`,
      ).all(key, before, oldest, count), room);
  }

  search(room: string, query: string, count: number): HistoryEntry[] {
    checkRange(count);
    const words = queryWords(query);
    // Not LIKE, which knows only the case of ASCII; the words are values, never a pattern.
    const found = " AND instr(coalesce(folded, text), ?)".repeat(words.length);
    return this.#read((key, oldest) => {
      if (words.length === 0) return [];
      return this.#sql(
        `SELECT ${COLUMNS} FROM messages WHERE room = ? AND time >= ?${found}
         ORDER BY id DESC LIMIT ?`,
      ).all(key, oldest, ...words, count);
    }, room);
  }

  lastId(room: string): number {
    return this.last(room, 1)[0]?.id ?? 0;
  }

  get(key: string): string | undefined {
    const row = this.#try("read", () => {
      return this.#sql("SELECT value FROM settings WHERE key = ?").get(toStoredText(key));
    });
    return row && fromStoredText(row.value as string);
  }

  set(key: string, value: string | undefined): void {
    if (value !== undefined) {
      checkSetting(key, value);
      if (this.#settings >= MAX_SETTINGS && this.get(key) === undefined) throw tooManySettings();
    }
    const stored = toStoredText(key);
    const more = this.#write("keep setting in", () => {
      const { changes } = this.#sql("DELETE FROM settings WHERE key = ?").run(stored);
      if (value === undefined) return -Number(changes);
      this.#sql("INSERT INTO settings VALUES (?, ?)").run(stored, toStoredText(value));
      return 1 - Number(changes);
    });
    this.#settings += more;
  }

  close(): void {
    if (this.#database.isOpen) closeFile(this.#database);
  }

  /** The key of a room, which is made if there is none; counts the message. */
  #enter(name: string, id: number, bytes: number): number {
    const key = this.#sql("SELECT id FROM rooms WHERE name = ?").get(name)?.id as number;
    if (key === undefined) {
      const { lastInsertRowid } = this.#sql("INSERT INTO rooms VALUES (NULL, ?, 1, ?, ?)")
        .run(name, bytes, id);
      this.#pruner.count({ bytes, rooms: 1 });
      return Number(lastInsertRowid);
    }
    this.#sql("UPDATE rooms SET count = count + 1, bytes = bytes + ?, last = ? WHERE id = ?")
      .run(bytes, id, key);
    this.#pruner.count({ bytes, rooms: 0 });
    return key;
  }

  /** Messages of a room that are not too old, from rows that come newest first. */
  #read(
    select: (key: number, oldest: number) => Record<string, unknown>[],
    room: string,
  ): HistoryEntry[] {
    const rows = this.#try("read", () => {
      const key = this.#sql("SELECT id FROM rooms WHERE name = ?").get(toStoredText(room))?.id;
      return key === undefined ? [] : select(key as number, this.#pruner.oldest());
    });
    return rows.reverse().map(({ id, kind, name, text, time }) => ({
      id: id as number,
      room,
      kind: kind === 1 ? "me" : "say",
      name: fromStoredText(name as string),
      text: fromStoredText(text as string),
      time: time as number,
    }));
  }

  /** Does it in a transaction: all of it, or nothing. */
  #write<T>(verb: string, change: () => T): T {
    return this.#try(verb, () => {
      try {
        hold(this.#database);
        const result = change();
        commit(this.#database);
        this.#pruner.commit();
        return result;
      } catch (error) {
        this.#pruner.rollBack();
        rollBack(this.#database);
        throw error;
      }
    });
  }

  #try<T>(verb: string, action: () => T): T {
    if (!this.#database.isOpen) throw new HistoryError("Cannot use history: it is closed");
    try {
      return action();
    } catch (cause) {
      const message = `Cannot ${verb} history ${this.#file}: ${sqliteReason(cause)}`;
      throw new HistoryError(message, { cause });
    }
  }

  /** A statement, prepared once. There are few: a query has at most 128 words. */
  #sql(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
