/** A directory that is served: peers may list and fetch its files, and add files. */

import { join } from "node:path";
import { requireDenoFor } from "../internal/runtime/runtime.ts";
import { type DirectoryOptions, directoryOptions } from "./directory_options.ts";
import { fileError, fileFailure } from "./errors.ts";
import { Inventory } from "./inventory.ts";
import { isName, nameKey, partName, storedName } from "./names.ts";
import type { Remembered } from "./checksum.ts";
import { FilePart } from "./part.ts";
import { type Guest, Places, shareOf } from "./places.ts";
import { infoOf } from "./regular.ts";
import { FileSource } from "./source.ts";
import { type FileEntry, type FileOffer, isSize } from "./types.ts";

/** How many checksums are remembered. */
const MAX_REMEMBERED = 64;

/** An attempt at an upload, as other attempts see it. */
export interface Attempt {
  /** Aborted when its caller is gone. */
  readonly signal: AbortSignal;
  /** Ends the attempt with this error. */
  stop(reason: unknown): void;
}

/**
 * The key of a file that is sent. The key of a file that is received is its name, which has no
 * slash.
 */
function sourceKey(name: string): string {
  return `/${name}`;
}

interface Upload extends Attempt {
  readonly owner: string | undefined;
  readonly ended: Promise<void>;
}

/** A directory that can be served. */
export interface Directory {
  /** The path of the directory. */
  readonly path: string;
  /** The options, with the defaults filled in. */
  readonly options: Readonly<Required<DirectoryOptions>>;
}

/** One directory that any number of connections share. */
export class OpenDirectory implements Directory {
  readonly path: string;
  readonly options: Readonly<Required<DirectoryOptions>>;
  /** Its transfers. */
  readonly places: Places;
  readonly #inventory: Inventory;
  readonly #uploads = new Map<string, Upload>();
  readonly #remembered = new Map<string, Remembered>();

  /** Use {@linkcode openDirectory}. */
  constructor(path: string, options: Required<DirectoryOptions>) {
    this.path = path;
    this.options = options;
    this.places = new Places(options.maxTransfers);
    this.#inventory = new Inventory(path, options.partRetention);
  }

  /** The files that can be fetched, by name. */
  async list(): Promise<FileEntry[]> {
    const entries: FileEntry[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(this.path)) {
        if (!isFile || !isName(name)) continue;
        const info = await infoOf(join(this.path, name));
        if (!info?.isFile) continue; // Removed meanwhile.
        entries.push({ name, size: info.size, modified: info.mtime?.getTime() ?? null });
      }
    } catch (error) {
      throw fileFailure(error, "list files");
    }
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Opens a file to send it. The caller gives it back with `release()`. */
  async source(name: string): Promise<FileSource> {
    const stored = await this.#stored(name, "read");
    const remembered = this.#remembered.get(sourceKey(stored));
    this.#remembered.delete(sourceKey(stored)); // Only one user at a time.
    return await FileSource.reopen(join(this.path, stored), stored, remembered);
  }

  /** Closes a file that was sent, and remembers its checksum. */
  release(source: FileSource): void {
    source[Symbol.dispose]();
    this.#remember(sourceKey(source.name), source.remembered);
  }

  /**
   * The whole file of this name and size, or undefined if there is none.
   *
   * @throws {RequestError} for an offer that is refused.
   */
  async whole(offer: FileOffer): Promise<FileSource | undefined> {
    this.#check(offer);
    const { name, size } = offer;
    const stored = await this.#stored(name, "write");
    const there = await infoOf(join(this.path, stored));
    if (there === undefined) return undefined;
    if (!there.isFile) throw fileError("not-a-file", `write ${name}`, "it is not a regular file");
    if (there.size === size) return await this.source(stored);
    if (!this.options.replace) {
      throw fileError("exists", `write ${name}`, "there is one of that name");
    }
  }

  /** The name under which a file is here, which may be written in another way. */
  async #stored(name: string, verb: "read" | "write"): Promise<string> {
    try {
      return await storedName(this.path, name);
    } catch (error) {
      throw fileFailure(error, `${verb} ${name}`);
    }
  }

  /**
   * Opens the part of a file that has arrived, for this one transfer. An older attempt of the same
   * owner is stopped first, with its `stop`. The caller gives the part back with `leave()`.
   *
   * @throws {RequestError} `busy`, and for an offer that is refused.
   */
  async open(offer: FileOffer, guest: Guest, attempt: Attempt): Promise<Receiving> {
    this.#check(offer);
    const { name, owner } = offer;
    const key = nameKey(name);
    for (let other; (other = this.#uploads.get(key)) !== undefined;) {
      if (owner !== undefined && other.owner === owner) {
        other.stop(fileError("stalled", `write ${name}`, "a newer attempt took its place"));
      } else if (!other.signal.aborted) {
        throw fileError("busy", `write ${name}`, "it is being written already");
      }
      await other.ended;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = attempt;
    const stop = (reason: unknown) => attempt.stop(reason);
    this.#uploads.set(key, { owner, signal, stop, ended: promise });
    try {
      await this.#inventory.reserve(partName(name));
      // Now that nobody else can bring it under another one.
      const stored = await this.#stored(name, "write");
      const part = await FilePart.open(join(this.path, stored), stored, {
        remembered: this.#remembered.get(key),
      });
      return this.#receiving({ ...offer, name: stored }, part, guest, resolve);
    } catch (error) {
      await this.#inventory.release(partName(name));
      this.#uploads.delete(key);
      resolve();
      throw error;
    }
  }

  #receiving(
    { name, size }: FileOffer,
    part: FilePart,
    guest: Guest,
    ended: () => void,
  ): Receiving {
    let promised = 0;
    return {
      part,
      freeSpace: async () => {
        const share = shareOf(this.options.maxDirectoryBytes);
        if (guest.promised > 0 && guest.promised + size > share) {
          const state = `uploads of one connection may promise ${share} bytes together`;
          throw fileError("busy", `write ${name}`, state);
        }
        guest.promised += promised = size;
        await this.#freeSpace(name, size);
      },
      leave: async (discard) => {
        guest.promised -= promised;
        promised = 0;
        await this.#leave(name, part, discard).finally(ended);
      },
    };
  }

  async #freeSpace(name: string, size: number): Promise<void> {
    const { maxDirectoryBytes, maxFiles } = this.options;
    const most = { bytes: maxDirectoryBytes, files: maxFiles };
    const lacking = await this.#inventory.freeSpace(partName(name), size, most);
    if (lacking === undefined) return;
    const state = lacking === "files"
      ? `limit is ${maxFiles} files`
      : `limit is ${maxDirectoryBytes} bytes in the directory`;
    throw fileError("quota", `write ${name}`, state);
  }

  async #leave(name: string, part: FilePart, discard: boolean): Promise<void> {
    try {
      this.#remembered.delete(nameKey(name));
      if (discard) await part.discard();
      else {
        const remembered = await part.close();
        if (remembered !== undefined) this.#remember(nameKey(name), remembered);
      }
      await this.#inventory.release(partName(name));
      await this.#inventory.look(name);
    } finally {
      this.#uploads.delete(nameKey(name));
    }
  }

  #remember(key: string, remembered: Remembered): void {
    this.#remembered.set(key, remembered);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    this.#remembered.delete(this.#remembered.keys().next().value!);
  }

  #check({ name, size }: FileOffer): void {
    const { readOnly, maxFileBytes } = this.options;
    if (readOnly) throw fileError("read-only", `write ${name}`, "the directory is read-only");
    if (!isSize(size)) {
      throw fileError("invalid-params", `write ${name}`, "its size is not a number of bytes");
    }
    if (size > maxFileBytes) {
      throw fileError("too-large", `write ${name} of ${size} bytes`, `limit is ${maxFileBytes}`);
    }
  }
}

/** A file that is being received. */
export interface Receiving {
  /** The part of the file that has arrived. */
  readonly part: FilePart;
  /**
   * Makes sure that there is space for the whole file. Unfinished files are removed for it.
   *
   * @throws {RequestError} `quota`, `busy`
   */
  freeSpace(): Promise<void>;
  /** Ends the transfer. `discard` says whether the bytes that have arrived are removed. */
  leave(discard: boolean): Promise<void>;
}

/**
 * Opens a directory to be served. Nothing outside it is ever read or written, links in it are not
 * followed, and the directories in it are not entered. Needs `--allow-read` for the directory, and
 * `--allow-write` unless it is `readOnly`.
 *
 * @throws {RequestError} `not-found`, `not-a-file` where there is no such directory, `not-permitted`,
 * `invalid-name`, `io-error`
 * @throws {RangeError} for an option out of range.
 */
export async function openDirectory(
  path: string,
  options: DirectoryOptions = {},
): Promise<Directory> {
  requireDenoFor("files on disk");
  const all = directoryOptions(options);
  const what = `serve files of ${path}`;
  let real: string;
  try {
    real = await Deno.realPath(path);
    const { isDirectory } = await Deno.stat(real);
    if (!isDirectory) throw fileError("not-a-file", what, "it is not a directory");
  } catch (error) {
    throw fileFailure(error, what);
  }
  return new OpenDirectory(real, all);
}
