/** Creates the file of a Unix socket, replaces the file of a dead server, and removes its own file. */

import { delay } from "@std/async/delay";

/** A listener on a socket's file. */
export interface OwnedSocket {
  /** Accepts the connections. */
  readonly listener: Deno.UnixListener;
  /** Removes the file if it is still its own. Returns whether the listener may then be closed. */
  release(): boolean;
}

/** How long to wait for another server that opens the same socket, in milliseconds. */
const LOCK_TIMEOUT = 3_000;
const LOCK_STEP = 20;

/**
 * Listens on a path. The socket file of a dead server is replaced. The socket file of a live server is
 * not replaced, and neither is a file that is not a socket.
 *
 * Another process may replace the file at the path at any time. So
 *
 * - the socket is created under a temporary name in the same folder, and then moved to the path in one
 *   step: at no moment does the path name a socket on which nobody listens;
 * - the lock `PATH.lock` is held while it is checked whether a file may be replaced, and while the file
 *   is replaced;
 * - the file is removed only if its device and inode are those of the file that was created here. It is
 *   removed before the socket closes, because nobody else replaces it as long as somebody listens.
 *
 * If the program may write only to the path itself, the socket is created there, and a file that is
 * there already is not replaced.
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
      // Done before anybody can find it at the path.
      if (mode !== undefined) await Deno.chmod(fresh, mode);
      await (there === "stale" ? Deno.rename(fresh, path) : moveToFree(fresh, path));
      return owned(listener, path);
    } catch (error) {
      listener.close(); // Deno also removes the file with the temporary name.
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

/**
 * Whether the program may create a file or socket of that name. Checked first, so Deno does not
 * ask.
 */
async function mayUse(path: string): Promise<boolean> {
  const wanted: Deno.PermissionDescriptor[] = [
    { name: "net", host: `unix:${path}` },
    { name: "read", path },
    { name: "write", path },
  ];
  const states = await Promise.all(wanted.map((one) => Deno.permissions.query(one)));
  return states.every(({ state }) => state === "granted");
}

/** What is at a path. Rejects for a live server, and for a file that is not a socket. */
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
    // Any other error means that somebody listens; perhaps the queue is full.
  }
  throw new Deno.errors.AlreadyExists("another server listens there");
}

/** Moves a file to a name that was free. Rejects if somebody has taken the name in the meantime. */
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

/** Takes the lock of a lock file. Returns a function that removes the file and releases the lock. */
async function lock(path: string): Promise<() => void> {
  const until = performance.now() + LOCK_TIMEOUT;
  for (;;) {
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    const isLocked = await file.tryLock(true).catch(() => true); // Some file systems have no locks.
    // The previous holder may have removed the file: then this lock protects nothing.
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
      // close() removes the file of the name that the socket was created with, even another server's.
      return isOwn || !inPlace;
    },
  };
}

function isOwnFile(path: string, own: Deno.FileInfo): boolean {
  try {
    return isSame(Deno.lstatSync(path), own);
  } catch {
    return false; // It is gone, or cannot be read: then it is not ours to remove.
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone already, or cannot be removed: then the next server replaces it.
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
