/** Copies a history, also while it is in use. */

import { existsSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { HistoryError } from "../../errors.ts";
import { MAX_INT32 } from "../../internal/check.ts";
import { checkHistory, checkPermissions, pathOf, sqliteReason } from "./file.ts";

/**
 * Copies all pages in one step. With smaller steps, each new message would make the copy begin
 * again.
 */
const ALL_PAGES = MAX_INT32;

/**
 * Copies the database in a file to another file.
 *
 * @throws {TypeError} for a name that no file can have.
 * @throws {HistoryError} if the file cannot be copied.
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
