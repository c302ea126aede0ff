/** Files of sockets, by Deno. */

import { errors } from "../errors.ts";
import { isGranted } from "../permissions.ts";
import { type Disk, type FileIdentity, isSame } from "./disk.ts";

/** Works on files. */
export const disk: Disk = {
  mayUse: (path) =>
    isGranted(
      { name: "net", host: `unix:${path}` },
      { name: "read", path },
      { name: "write", path },
    ),
  identityOf,
  chmod: (path, mode) => Deno.chmod(path, mode),
  link: (from, to) => Deno.link(from, to),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.removeSync(path),
  async tryLock(path) {
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    const isLocked = await file.tryLock(true).catch(() => true); // Some file systems have no locks.
    // The previous holder may have removed the file: then this lock protects nothing.
    const there = isLocked ? identityOf(path) : undefined;
    if (there === undefined || !isSame(there, await file.stat())) {
      file.close();
      return undefined;
    }
    return () => file.close();
  },
};

function identityOf(path: string): FileIdentity | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof errors.NotFound) return undefined;
    throw error;
  }
}
