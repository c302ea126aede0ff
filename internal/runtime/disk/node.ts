/** Files of sockets, by `node:fs`. */

import { builtin } from "../builtin.ts";
import { systemError } from "../errors.ts";
import type { Disk, FileIdentity } from "./disk.ts";

const fs = builtin("node:fs");

/** Works on files. */
export const disk: Disk = {
  mayUse: () => true,
  identityOf,
  chmod: (path, mode) => asSystem(fs.promises.chmod(path, mode)),
  link: (from, to) => asSystem(fs.promises.link(from, to)),
  rename: (from, to) => asSystem(fs.promises.rename(from, to)),
  remove: (path) => fs.unlinkSync(path),
  /**
   * Node has no locks of files: who creates the file has the lock. Servers in Deno do not see it, and
   * the file of a process that died meanwhile stays, and must be removed by hand.
   */
  async tryLock(path) {
    try {
      const file = await fs.promises.open(path, "wx", 0o600);
      await file.close();
      return () => {};
    } catch (error) {
      if ((error as { code?: string }).code === "EEXIST") return undefined;
      throw systemError(error as Error);
    }
  },
};

function identityOf(path: string): FileIdentity | undefined {
  try {
    const info = fs.lstatSync(path, { throwIfNoEntry: false });
    return info && { dev: info.dev, ino: info.ino, isSocket: info.isSocket() };
  } catch (error) {
    throw systemError(error as Error);
  }
}

function asSystem(done: Promise<void>): Promise<void> {
  return done.catch((error) => {
    throw systemError(error as Error);
  });
}
