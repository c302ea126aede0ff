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
   * How many messages each room keeps. A room may have up to a sixteenth more, at most 31, until
   * they are removed together.
   *
   * @default 10_000
   */
  maxMessages?: number;
  /**
   * How many rooms are remembered. If there are more, the room that was silent for the longest time
   * is forgotten.
   *
   * @default 1000
   */
  maxRooms?: number;
  /**
   * How many bytes all messages may have together. A message counts as 128 bytes, and two for each
   * character of its room, name and text. The file is seldom larger.
   *
   * @default 268_435_456
   */
  maxBytes?: number;
  /**
   * How old a message may be, in milliseconds. Older messages are not shown. They are removed
   * little by little when new messages come.
   *
   * @default 2_592_000_000 (30 days)
   */
  maxAge?: number;
  /**
   * Whether each message is on the disk itself before `add()` returns. Then it survives a power cut
   * too. Everything waits while the disk writes, which often takes milliseconds.
   *
   * @default false
   */
  survivePowerCut?: boolean;
  /**
   * Returns the time, in milliseconds since 1970. It decides how old messages are.
   *
   * @default Date.now
   */
  now?: () => number;
}

/**
 * A history in an SQLite file, which is made if there is none.
 *
 * - What `add()` and `set()` have kept survives the end of the process, however it ends, because
 *   the system has it then. After a power cut or a crash of the system the last moments may be
 *   missing, but the file is never damaged. With `survivePowerCut` nothing is missing.
 * - Only one process at a time writes the file. Others can read it at the same time, and copy it
 *   with {@linkcode backUpHistory}, or with sqlite3's `.backup` and `VACUUM INTO`. While it is
 *   open, FILE-wal and FILE-shm are beside it, so a plain copy of FILE alone may lack the last
 *   messages.
 * - The file must be on a disk of this machine. A network disk does not keep two processes on two
 *   machines apart.
 * - It needs `--allow-read=FILE --allow-write=FILE`. It never makes Deno ask for them.
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
    // The room that was used last is never forgotten, so it has the last id.
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
    checkRange(count, { before });
    return this.#read((key, oldest) =>
      this.#sql(
        `SELECT ${COLUMNS} FROM messages WHERE room = ? AND id < ? AND time >= ?
         ORDER BY id DESC LIMIT ?`,
      ).all(key, before, oldest, count), room);
  }

  since(room: string, count: number, after: number): HistoryEntry[] {
    checkRange(count, { after });
    return this.#read((key, oldest) =>
      this.#sql(
        `SELECT ${COLUMNS} FROM messages WHERE room = ? AND id > ? AND time >= ?
         ORDER BY id LIMIT ?`,
      ).all(key, after, oldest, count).reverse(), room);
  }

  search(room: string, query: string, count: number): HistoryEntry[] {
    checkRange(count);
    const words = queryWords(query);
    // LIKE is not used, because it ignores case only in ASCII. The words are values, and never a
    // pattern.
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

  /** The key of a room. Makes the room if there is none. Counts the message. */
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

  /** The messages of a room that are not too old. The rows come newest first. */
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

  /** Makes a change in a transaction: completely, or not at all. */
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
