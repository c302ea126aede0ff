/** Opening regular files and nothing else: no links, directories, devices or pipes. */

import { fileError } from "./errors.ts";

/** An open file and what it is. */
export interface Opened {
  /** The file. */
  readonly file: Deno.FsFile;
  /** What it was when it was opened. */
  readonly info: Deno.FileInfo;
}

/**
 * Opens a regular file that is there. The path is looked at before, since opening a pipe may wait
 * for ever, and what was opened is compared with it, since it may have been replaced by a link.
 *
 * @throws {RequestError} `not-a-file`
 * @throws what the system says.
 */
export async function openRegular(
  path: string,
  what: string,
  options: { write?: boolean } = {},
): Promise<Opened> {
  const wanted = await Deno.lstat(path);
  if (!wanted.isFile) throw fileError("not-a-file", what, "it is no regular file");
  const file = await Deno.open(path, { read: true, ...options });
  try {
    const info = await file.stat();
    if (!info.isFile || !isSame(info, wanted)) {
      throw fileError("not-a-file", what, "it was replaced while it was opened");
    }
    return { file, info };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Opens a regular file that is there and that nobody else has locked, and locks it; undefined where
 * there is none.
 *
 * @throws what the system says.
 */
export async function openLocked(path: string): Promise<Opened | undefined> {
  if (!(await infoOf(path))?.isFile) return;
  const { file } = await openRegular(path, "open part", { write: true });
  const info = await lock(file, path);
  if (info === undefined) file.close();
  else return { file, info };
}

/** Locks an open file, and looks whether it still is what is at the path; undefined if not. */
export async function lock(file: Deno.FsFile, path: string): Promise<Deno.FileInfo | undefined> {
  if (!await tryLock(file)) return;
  const there = await infoOf(path);
  const info = await file.stat();
  if (there !== undefined && isSame(info, there)) return info;
}

async function tryLock(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch {
    return true; // Some network file systems have no locks.
  }
}

/** Whether two looks saw one file. Systems without numbers for files say yes. */
export function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** What is at a path, itself and not what it links to; undefined where nothing is. */
export async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Reads until the block is full or the file ends; resolves to how much was read. */
export async function readFull(file: Deno.FsFile, block: Uint8Array): Promise<number> {
  let read = 0;
  while (read < block.length) {
    const count = await file.read(read === 0 ? block : block.subarray(read));
    if (count === null) break;
    read += count;
  }
  return read;
}
