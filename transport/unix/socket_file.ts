/** The file of a Unix socket: made, taken over from a server that is gone, and removed by its owner. */

import { delay } from "@std/async/delay";

/** A listener on a socket's file. */
export interface OwnedSocket {
  /** What accepts. */
  readonly listener: Deno.UnixListener;
  /** Removes the file if it is still its own; gives whether the listener may be closed after that. */
  release(): boolean;
}

/** How long to wait for others who are opening the same socket, in milliseconds. */
const LOCK_TIMEOUT = 3_000;
const LOCK_STEP = 20;

/**
 * Listens on a path. A file that a server left behind is replaced; one that a server still listens on
 * is not, and nor is any file that is no socket.
 *
 * The path is a name, and what it names can change at any time. So
 *
 * - the socket is made under another name beside it, and moved to the path as a whole: there is no
 *   moment at which the path names a socket that nobody listens on;
 * - who looks whether a file may be replaced, and replaces it, holds the lock `PATH.lock` meanwhile;
 * - the file is removed only if it is the one that was made here, by device and inode, and before the
 *   socket closes: as long as somebody listens, nobody else replaces it.
 *
 * Where the program may write to nothing but the path itself, the socket is made there, and a file
 * that is there already is not replaced.
 */
export async function openSocketFile(path: string, mode?: number): Promise<OwnedSocket> {
  const fresh = `${path}.${crypto.getRandomValues(new Uint8Array(3)).toHex()}`;
  const lockPath = `${path}.lock`;
  if (!await mayUse(fresh) || !await mayUse(lockPath)) return await openInPlace(path, mode);
  const unlock = await lock(lockPath);
  try {
    const there = await stateOf(path);
    const listener = Deno.listen({ transport: "unix", path: fresh });
    try {
      // Before anybody can see it at its own name.
      if (mode !== undefined) await Deno.chmod(fresh, mode);
      await (there === "stale" ? Deno.rename(fresh, path) : moveToFree(fresh, path));
      return owned(listener, path);
    } catch (error) {
      listener.close(); // Deno removes the file with the name that it was made with.
      throw error;
    }
  } finally {
    unlock();
  }
}

async function openInPlace(path: string, mode: number | undefined): Promise<OwnedSocket> {
  let listener: Deno.UnixListener;
  try {
    listener = Deno.listen({ transport: "unix", path });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    await stateOf(path);
    throw new Deno.errors.AlreadyExists(
      "a server that is gone left its file there; remove it, or permit to write to its folder",
    );
  }
  try {
    if (mode !== undefined) await Deno.chmod(path, mode);
    return owned(listener, path, { inPlace: true });
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** Whether the program may make a file or socket of that name; Deno would ask otherwise. */
async function mayUse(path: string): Promise<boolean> {
  const wanted: Deno.PermissionDescriptor[] = [
    { name: "net", host: `unix:${path}` },
    { name: "read", path },
    { name: "write", path },
  ];
  const states = await Promise.all(wanted.map((one) => Deno.permissions.query(one)));
  return states.every(({ state }) => state === "granted");
}

/** What is at a path. Rejects for a server that listens, and for a file that is no socket. */
async function stateOf(path: string): Promise<"free" | "stale"> {
  const info = await infoOf(path);
  if (info === undefined) return "free";
  if (!info.isSocket) throw new Deno.errors.AlreadyExists("there is a file that is no socket");
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return "stale";
    if (error instanceof Deno.errors.NotFound) return "free";
    if (error instanceof Deno.errors.PermissionDenied) throw error;
    // Its queue may be full: then somebody listens.
  }
  throw new Deno.errors.AlreadyExists("another server listens there");
}

/** Moves a file to a name that nobody has; somebody may have taken it just now. */
async function moveToFree(from: string, path: string): Promise<void> {
  try {
    await Deno.link(from, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Deno.errors.AlreadyExists("another server listens there");
    }
    return await Deno.rename(from, path); // Some file systems have no links.
  }
  await Deno.remove(from);
}

/** Holds a lock file, which goes when the lock does. */
async function lock(path: string): Promise<() => void> {
  const until = performance.now() + LOCK_TIMEOUT;
  for (;;) {
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    const isLocked = await file.tryLock(true).catch(() => true); // Some file systems have no locks.
    // Whoever held it before may have removed it: then this is the lock of nothing.
    const there = isLocked ? await infoOf(path) : undefined;
    if (there !== undefined && isSame(there, await file.stat())) {
      return () => {
        removeQuietly(path);
        file.close();
      };
    }
    file.close();
    if (performance.now() > until) {
      throw new Deno.errors.AlreadyExists(
        `another server is being started there, it holds ${path}`,
      );
    }
    if (!isLocked) await delay(LOCK_STEP);
  }
}

function owned(listener: Deno.UnixListener, path: string, { inPlace = false } = {}): OwnedSocket {
  const own = Deno.lstatSync(path);
  return {
    listener,
    release() {
      const isOwn = isOwnFile(path, own);
      if (isOwn) removeQuietly(path);
      // Deno removes what has the name that the socket was made with, whoever's it is.
      return isOwn || !inPlace;
    },
  };
}

function isOwnFile(path: string, own: Deno.FileInfo): boolean {
  try {
    return isSame(Deno.lstatSync(path), own);
  } catch {
    return false; // It is gone, or nobody knows what it is: not ours to remove.
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has gone by itself, or cannot be removed any more: the next server replaces it.
  }
}

async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
