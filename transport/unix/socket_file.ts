/** Creates the file of a Unix socket, replaces the file of a dead server, and removes its own file. */

import { errors } from "../../internal/runtime/errors.ts";
import { delay } from "@std/async/delay";
import { toHex } from "../../internal/encoding.ts";
import { type Disk, type FileIdentity, isSame } from "../../internal/runtime/disk/disk.ts";
import { runtime } from "../../internal/runtime/runtime.ts";
import { sockets } from "../../internal/runtime/sockets.ts";
import type { SocketListener } from "../../internal/runtime/stream_socket.ts";

/** A listener on a socket's file. */
export interface OwnedSocket {
  /** Accepts the connections. */
  readonly listener: SocketListener;
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
  const fresh = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(3)))}`;
  const lockPath = `${path}.lock`;
  const disk = await diskHere();
  const { listenUnix } = await sockets();
  if (!disk.mayUse(fresh) || !disk.mayUse(lockPath)) return await openInPlace(disk, path, mode);
  const unlock = await lock(disk, lockPath);
  try {
    const there = await stateOf(disk, path);
    const listener = await listenUnix(fresh);
    try {
      // Done before anybody can find it at the path.
      if (mode !== undefined) await disk.chmod(fresh, mode);
      await (there === "stale" ? disk.rename(fresh, path) : moveToFree(disk, fresh, path));
      return owned(disk, listener, path);
    } catch (error) {
      listener.close(); // That also removes the file with the temporary name.
      throw error;
    }
  } finally {
    unlock();
  }
}

async function openInPlace(
  disk: Disk,
  path: string,
  mode: number | undefined,
): Promise<OwnedSocket> {
  const { listenUnix } = await sockets();
  let listener: SocketListener;
  try {
    listener = await listenUnix(path);
  } catch (error) {
    if (!(error instanceof errors.AddrInUse)) throw error;
    await stateOf(disk, path);
    throw new errors.AlreadyExists(
      "a server that is gone left its file there; remove it, or permit to write to its folder",
    );
  }
  try {
    if (mode !== undefined) await disk.chmod(path, mode);
    return owned(disk, listener, path, { inPlace: true });
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** What is at a path. Rejects for a live server, and for a file that is not a socket. */
async function stateOf(disk: Disk, path: string): Promise<"free" | "stale"> {
  const info = disk.identityOf(path);
  if (info === undefined) return "free";
  if (!info.isSocket) throw new errors.AlreadyExists("there is a file that is no socket");
  try {
    (await (await sockets()).connectUnix(path)).close();
  } catch (error) {
    if (error instanceof errors.ConnectionRefused) return "stale";
    if (error instanceof errors.NotFound) return "free";
    if (error instanceof errors.PermissionDenied) throw error;
    // Any other error means that somebody listens; perhaps the queue is full.
  }
  throw new errors.AlreadyExists("another server listens there");
}

/** Moves a file to a name that was free. Rejects if somebody has taken the name in the meantime. */
async function moveToFree(disk: Disk, from: string, path: string): Promise<void> {
  try {
    await disk.link(from, path);
  } catch (error) {
    if (error instanceof errors.AlreadyExists) {
      throw new errors.AlreadyExists("another server listens there");
    }
    return await disk.rename(from, path); // Some file systems have no links.
  }
  disk.remove(from);
}

/** Takes the lock of a lock file. Returns a function that removes the file and releases the lock. */
async function lock(disk: Disk, path: string): Promise<() => void> {
  const until = performance.now() + LOCK_TIMEOUT;
  for (;;) {
    const release = await disk.tryLock(path);
    if (release !== undefined) {
      return () => {
        removeQuietly(disk, path);
        release();
      };
    }
    if (performance.now() > until) {
      throw new errors.AlreadyExists(
        `another server is being started there, it holds ${path}`,
      );
    }
    await delay(LOCK_STEP);
  }
}

function owned(
  disk: Disk,
  listener: SocketListener,
  path: string,
  { inPlace = false } = {},
): OwnedSocket {
  const own = disk.identityOf(path);
  return {
    listener,
    release() {
      const isOwn = isOwnFile(disk, path, own);
      if (isOwn) removeQuietly(disk, path);
      // close() removes the file of the name that the socket was created with, even another server's.
      return isOwn || !inPlace;
    },
  };
}

function isOwnFile(disk: Disk, path: string, own: FileIdentity | undefined): boolean {
  try {
    const there = disk.identityOf(path);
    return there !== undefined && own !== undefined && isSame(there, own);
  } catch {
    return false; // It cannot be read: then it is not ours to remove.
  }
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // It is gone already, or cannot be removed: then the next server replaces it.
  }
}

/** What works on files here. */
async function diskHere(): Promise<Disk> {
  const { disk } = runtime.name === "Deno"
    ? await import("../../internal/runtime/disk/deno.ts")
    : await import("../../internal/runtime/disk/node.ts");
  return disk;
}
