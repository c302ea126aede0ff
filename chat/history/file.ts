/**
 * The file of a history: how it is opened, its schema, what it can store, and the reasons of its
 * errors.
 */

import { accessSync, constants, existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HistoryError } from "../../errors.ts";
import { isGranted } from "../../internal/runtime/permissions.ts";

/** "Lwhi". It distinguishes a history from the databases of other programs. */
const APPLICATION_ID = 0x4c776869;

/**
 * How long to wait for another process to release the file, in milliseconds. The wait blocks this
 * process.
 */
const BUSY_TIMEOUT = 250;

/** Brings a database from one version to the next. */
export type Migration = (database: DatabaseSync) => void;

/**
 * The schema, version by version. A published version is never changed. Changes are new versions.
 *
 * Messages are stored by room. So each message writes one page, and the last messages of a room lie
 * together. A room without a name is forgotten, and its messages are removed little by little.
 * `folded` is the text as searches compare it, or NULL if that is the same as the text.
 */
export const MIGRATIONS: readonly Migration[] = [
  (database) =>
    database.exec(`
      CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        name TEXT UNIQUE,
        count INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        last INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE messages (
        room INTEGER NOT NULL,
        id INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        time INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        folded TEXT,
        PRIMARY KEY (room, id)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `),
];

/**
 * How often a process that opens the file must find it free, and how long it waits between two
 * looks, in milliseconds. The process that has the file releases it for a moment with each message,
 * and takes it back within one or two milliseconds.
 */
const FREE_LOOKS = 5;
const FREE_PAUSE = 4;

/**
 * Opens the database in a file. Only this process may write it until it is closed. Other processes
 * can read it all the time, and make copies.
 *
 * The database is always in a transaction that writes. The lock of this transaction keeps out other
 * writers, but no readers. It ends with the process, however the process ends.
 *
 * @throws {TypeError} for a name that can be no file's.
 * @throws {HistoryError} if it cannot be opened.
 */
export function openFile(file: string, synchronous: "NORMAL" | "FULL"): DatabaseSync {
  const path = pathOf(file);
  checkPermissions(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT, allowExtension: false });
    checkOwner(database);
    checkFree(database);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};
      PRAGMA journal_size_limit = 8388608; PRAGMA temp_store = MEMORY`);
    migrate(database, MIGRATIONS);
    // After this the file alone has everything so far, also for those who copy only the file.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.exec("BEGIN IMMEDIATE");
    return database;
  } catch (cause) {
    database?.close();
    const why = sqliteReason(cause);
    const reason = why !== LOCKED && isReadOnly(path) ? "the file is read-only" : why;
    throw new HistoryError(`Cannot open history ${file}: ${reason}`, { cause });
  }
}

/**
 * Keeps what was written, and takes the file again. If another process takes it in between, the
 * next write fails and tells so.
 */
export function commit(database: DatabaseSync): void {
  database.exec("COMMIT");
  try {
    hold(database);
  } catch {
    // What was written is kept, so nothing has failed yet.
  }
}

/**
 * Takes the file, if this process does not hold it yet.
 *
 * @throws {Error} if another process holds it.
 */
export function hold(database: DatabaseSync): void {
  if (!database.isTransaction) database.exec("BEGIN IMMEDIATE");
}

/**
 * Closes the database. Then the file alone has everything that was written, unless other processes
 * still read it.
 */
export function closeFile(database: DatabaseSync): void {
  rollBack(database);
  database.close();
}

/** Refuses a file that another process has open for writing. */
function checkFree(database: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  database.exec("PRAGMA busy_timeout = 0");
  for (let look = 0; look < FREE_LOOKS; look++) {
    if (look > 0) Atomics.wait(pause, 0, 0, FREE_PAUSE);
    database.exec("BEGIN IMMEDIATE; ROLLBACK");
  }
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
}

/** Whether the file exists and cannot be written. SQLite says only "disk I/O error" for that. */
function isReadOnly(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    // The file is not opened for this, because closing it would release the locks that this process
    // has on it.
    accessSync(path, constants.W_OK);
    return false;
  } catch {
    return true; // whatever the system says, it is a no
  }
}

/**
 * The path of a file in the form that SQLite needs.
 *
 * @throws {TypeError} for a name that can be no file's.
 */
export function pathOf(file: string): string {
  if (file === "" || file === ":memory:" || file.includes("\0")) {
    throw new TypeError(`Cannot open history ${JSON.stringify(file)}: it is no name of a file`);
  }
  // SQLite takes a name that begins with "file:" for a URI.
  return isAbsolute(file) ? file : `./${file}`;
}

/**
 * Checks the permissions before SQLite opens the file. Otherwise Deno would ask the user.
 *
 * @throws {HistoryError} naming the flags that are missing.
 */
export function checkPermissions(file: string): void {
  const missing = (["read", "write"] as const).filter((name) => !isGranted({ name, path: file }));
  if (missing.length === 0) return;
  const flags = missing.map((name) => `--allow-${name}=${file}`).join(" ");
  throw new HistoryError(`Cannot open history ${file}: no permission; run with ${flags}`);
}

/** Refuses the database of another program. */
function checkOwner(database: DatabaseSync): void {
  const owner = pragma(database, "application_id");
  if (owner === APPLICATION_ID) return;
  const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()!;
  if (owner !== 0 || tables !== 0) throw new Error("it is the database of another program");
}

/**
 * Refuses a database that is not a history.
 *
 * @throws {Error} if it is not a history.
 */
export function checkHistory(database: DatabaseSync): void {
  if (pragma(database, "application_id") === APPLICATION_ID) return;
  throw new Error("it is no history");
}

/**
 * Brings the schema up to date, completely or not at all.
 *
 * @throws {Error} for a schema that is newer than the migrations. An error of a migration is thrown
 * as it is.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  const version = pragma(database, "user_version");
  if (version > migrations.length) {
    throw new Error(
      `it is of version ${version}, this program knows versions up to ${migrations.length}`,
    );
  }
  // The transaction is needed even if there is nothing to do. It fails for a process that may only
  // read, and such a process cannot keep a history.
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const migration of migrations.slice(version)) migration(database);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function pragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return database.prepare(`PRAGMA ${name}`).get()![name] as number;
}

/** Ends a transaction that failed. */
export function rollBack(database: DatabaseSync): void {
  // When the disk is full, SQLite has rolled back by itself.
  if (database.isTransaction) database.exec("ROLLBACK");
}

/** The reason of an error of SQLite, for the end of an error's message. */
export function sqliteReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  for (const [pattern, reason] of reasons) if (pattern.test(message)) return reason;
  return message;
}

const LOCKED = "another process has it open";

/**
 * Errors are recognized by their message. Deno gives no code for errors in `exec()` and on opening.
 */
const reasons: readonly [pattern: RegExp, reason: string][] = [
  [/database (table )?is locked/, LOCKED],
  [/database or disk is full/, "the disk is full"],
  [/readonly database/, "the file is read-only"],
  [/disk I\/O error/, "the disk fails, or is full (disk I/O error)"],
  [/file is not a database/, "the file is no database"],
  [/is malformed|database corrupt/, "the file is damaged"],
  [
    /unable to open database file/,
    "it is a folder, or its folder does not exist or may not be used",
  ],
];

/**
 * A string in the form that SQLite can keep. NUL would end a text when it is read, and lone
 * surrogates do not exist in UTF-8. Both are written as U+001A and four digits.
 */
export function toStoredText(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\0\x1a\ud800-\udfff]/gu, (character) => {
    return `\x1a${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The string that {@linkcode toStoredText} was given. */
export function fromStoredText(text: string): string {
  if (!text.includes("\x1a")) return text;
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1a([0-9a-f]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}
