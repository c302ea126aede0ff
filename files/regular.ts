/** Opening regular files and nothing else: no links, directories, devices or pipes. */

import { fileError } from "./errors.ts";

/** An open file, with what the system says about it. */
export interface Opened {
  /** The file. */
  readonly file: Deno.FsFile;
  /** What the system said when the file was opened. */
  readonly info: Deno.FileInfo;
}

/**
 * Opens an existing regular file. The path is checked before, because opening a pipe may wait for
 * ever. The opened file is compared with that check, because a link may have replaced it.
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
  if (!wanted.isFile) throw fileError("not-a-file", what, "it is not a regular file");
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
 * Opens and locks an existing regular file that nobody else has locked. Resolves to undefined if
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

/** Locks an open file, and checks that it is still the file at the path; undefined if not. */
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

/** Whether both are about one file. On systems without numbers for files, the answer is yes. */
export function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** What is at a path; for a link, the link itself. Undefined if nothing is there. */
export async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Reads until the block is full or the file ends. Resolves to the number of bytes read. */
export async function readFull(file: Deno.FsFile, block: Uint8Array): Promise<number> {
  let read = 0;
  while (read < block.length) {
    const count = await file.read(read === 0 ? block : block.subarray(read));
    if (count === null) break;
    read += count;
  }
  return read;
}
