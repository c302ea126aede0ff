/** Counts the files and bytes in a directory, for its limits. */

import { join } from "node:path";
import { isPartName } from "./names.ts";
import { infoOf, openLocked } from "./regular.ts";

/**
 * How long a count is used, in milliseconds. Other programs may put files into the directory too.
 */
const TRUST_TIME = 30_000;

interface Counted {
  readonly size: number;
  readonly modified: number;
}

/** An amount of files in a directory. */
export interface Amount {
  /** How many bytes all files have. */
  readonly bytes: number;
  /** How many files there are. */
  readonly files: number;
}

/** The regular files of a directory and their sizes, without those that somebody is writing to. */
export class Inventory {
  readonly #path: string;
  readonly #retention: number;
  #files = new Map<string, Counted>();
  #bytes = 0;
  #countedAt = -Infinity;
  /** Names that were counted again while the whole directory is being counted. */
  readonly #touched = new Set<string>();
  /** Names that somebody is writing to, and the sizes that they will have. */
  readonly #reserved = new Map<string, number>();
  #reservedBytes = 0;
  /** Parts that are being checked or removed, and are locked for that time. */
  readonly #held = new Map<string, Promise<boolean>>();
  /** The last call that frees space. */
  #making: Promise<unknown> = Promise.resolve();

  /** Parts that nobody touched for `retention` milliseconds are removed. */
  constructor(path: string, retention: number) {
    this.#path = path;
    this.#retention = retention;
  }

  /** Begins to count a name with its current size. From now on it is not removed. */
  async reserve(name: string): Promise<void> {
    this.#reserve(name, this.#files.get(name)?.size ?? 0);
    await this.#held.get(name);
  }

  #reserve(name: string, bytes: number): void {
    this.#set(name, undefined);
    this.#reservedBytes += bytes - (this.#reserved.get(name) ?? 0);
    this.#reserved.set(name, bytes);
  }

  /** Counts a name with its current size again. */
  async release(name: string): Promise<void> {
    this.#reservedBytes -= this.#reserved.get(name) ?? 0;
    this.#reserved.delete(name);
    await this.look(name);
  }

  /** Counts one name anew. */
  async look(name: string): Promise<void> {
    const info = await infoOf(join(this.#path, name));
    if (!this.#reserved.has(name)) this.#set(name, info?.isFile ? counted(info) : undefined);
  }

  /**
   * Counts a reserved name with so many bytes, if there is space. Parts that nobody writes to are
   * removed for it, the oldest first, if that frees enough space. Resolves to what is lacking, if
   * anything is.
   */
  freeSpace(name: string, bytes: number, most: Amount): Promise<keyof Amount | undefined> {
    // One call at a time, so that a file that does not fit takes no space from a file that does.
    const made = this.#making.then(() => this.#freeSpace(name, bytes, most));
    this.#making = made.catch(() => {}); // Its own caller gets the error.
    return made;
  }

  async #freeSpace(name: string, bytes: number, most: Amount): Promise<keyof Amount | undefined> {
    if (performance.now() - this.#countedAt >= TRUST_TIME) await this.#countAll();
    const kept = new Set<string>();
    for (;;) {
      const beyond = {
        bytes: this.#bytes + this.#reservedBytes - (this.#reserved.get(name) ?? 0) + bytes -
          most.bytes,
        files: this.#files.size + this.#reserved.size - most.files,
      };
      if (beyond.bytes <= 0 && beyond.files <= 0) {
        this.#reserve(name, bytes);
        return;
      }
      const chosen = await this.#choose(beyond, kept);
      if (chosen === undefined) return beyond.files > 0 ? "files" : "bytes";
      for (const part of chosen) if (!await this.#remove(part)) kept.add(part);
    }
  }

  /**
   * The oldest parts that together free so much space, without those that must be kept; or
   * undefined.
   */
  async #choose(beyond: Amount, kept: Set<string>): Promise<string[] | undefined> {
    const parts = [...this.#files].filter(([name]) => isPartName(name) && !kept.has(name));
    parts.sort(([, a], [, b]) => a.modified - b.modified);
    let bytes = 0;
    let files = 0;
    const isEnough = () => bytes >= beyond.bytes && files >= beyond.files;
    const add = (size: number) => {
      bytes += size;
      files++;
    };
    for (const [, { size }] of parts) add(size);
    if (!isEnough()) return;
    bytes = files = 0;
    const chosen: string[] = [];
    for (const [name, { size }] of parts) {
      if (isEnough()) break;
      if (await this.#isFree(name)) chosen.push(name);
      else if (this.#files.has(name)) {
        kept.add(name);
        continue;
      }
      add(size);
    }
    return isEnough() ? chosen : undefined;
  }

  /** Whether this is a part that nobody writes to, not even another server. */
  #isFree(name: string): Promise<boolean> {
    return this.#hold(name, () => Promise.resolve());
  }

  /** Removes a part that nobody writes to. Resolves to whether it is gone. */
  async #remove(name: string): Promise<boolean> {
    const remove = async (path: string) => {
      await Deno.remove(path);
      this.#set(name, undefined);
    };
    return await this.#hold(name, remove) || !this.#files.has(name);
  }

  /** Does something to a part while it is locked. Resolves to whether that was possible. */
  #hold(name: string, action: (path: string) => Promise<void>): Promise<boolean> {
    if (this.#reserved.has(name)) return Promise.resolve(false);
    const path = join(this.#path, name);
    const holding = async () => {
      try {
        const opened = await openLocked(path);
        using _file = opened?.file;
        if (opened !== undefined) await action(path);
        else await this.look(name);
        return opened !== undefined;
      } catch {
        return false; // A part that the system does not remove stays, and counts.
      } finally {
        this.#held.delete(name);
      }
    };
    const held = holding();
    this.#held.set(name, held);
    return held;
  }

  #set(name: string, file: Counted | undefined): void {
    this.#bytes += (file?.size ?? 0) - (this.#files.get(name)?.size ?? 0);
    if (file === undefined) this.#files.delete(name);
    else this.#files.set(name, file);
    this.#touched.add(name);
  }

  async #countAll(): Promise<void> {
    this.#touched.clear();
    const found = new Map<string, Counted>();
    for await (const { name, isFile } of Deno.readDir(this.#path)) {
      const info = isFile ? await infoOf(join(this.#path, name)) : undefined;
      if (info?.isFile) found.set(name, counted(info));
    }
    for (const name of this.#reserved.keys()) found.delete(name);
    for (const name of this.#touched) {
      const file = this.#files.get(name);
      if (file === undefined) found.delete(name);
      else found.set(name, file);
    }
    this.#files = found;
    this.#bytes = found.values().reduce((sum, { size }) => sum + size, 0);
    this.#countedAt = performance.now();
    const oldest = Date.now() - this.#retention;
    for (const [name, { modified }] of found) {
      if (isPartName(name) && modified < oldest) await this.#remove(name);
    }
  }
}

function counted({ size, mtime }: Deno.FileInfo): Counted {
  return { size, modified: mtime?.getTime() ?? 0 };
}
