/** Copies of a history, while it is in use or not. */

import { existsSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { HistoryError } from "../../errors.ts";
import { checkHistory, checkPermissions, pathOf, sqliteReason } from "./file.ts";

/** All pages at once: with fewer, each message that is said meanwhile makes the copy begin anew. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies the database in a file to another file.
 *
 * @throws {TypeError} for a name that can be no file's.
 * @throws {HistoryError} if that fails.
 */
export async function copyFile(file: string, to: string): Promise<void> {
  const [path, target] = [pathOf(file), pathOf(to)];
  const fail = (reason: string, cause?: unknown) =>
    new HistoryError(`Cannot copy history ${file} to ${to}: ${reason}`, { cause });
  for (const name of [file, to]) checkPermissions(name);
  if (!existsSync(path)) throw fail(`there is no ${file}`);
  if (existsSync(target)) throw fail(`there is a ${to} already`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, allowExtension: false });
    checkHistory(database);
    await backup(database, target, { rate: ALL_PAGES });
  } catch (cause) {
    throw fail(sqliteReason(cause), cause);
  } finally {
    database?.close();
  }
}
