/** What is in a directory, counted, so that quotas hold. */

import { join } from "node:path";
import { isPartName } from "./names.ts";
import { infoOf } from "./regular.ts";

/** How long a count is believed, in milliseconds: others may put files into the directory too. */
const TRUST_TIME = 30_000;

interface Counted {
  readonly size: number;
  readonly modified: number;
}

/** The regular files of a directory and their sizes, as far as nobody is writing to them. */
export class Inventory {
  readonly #path: string;
  readonly #retention: number;
  #files = new Map<string, Counted>();
  #bytes = 0;
  #countedAt = -Infinity;
  #counting: Promise<void> | undefined;
  /** Names that were looked at again while all are being counted. */
  readonly #touched = new Set<string>();
  /** Names that somebody is writing to, and what they will be. */
  readonly #reserved = new Map<string, number>();
  #reservedBytes = 0;

  /** Parts that nobody touched for `retention` milliseconds are removed. */
  constructor(path: string, retention: number) {
    this.#path = path;
    this.#retention = retention;
  }

  /** Files, and those that are being written. */
  get count(): number {
    return this.#files.size + this.#reserved.size;
  }

  /** Their bytes; of those that are being written, what they will have. */
  get bytes(): number {
    return this.#bytes + this.#reservedBytes;
  }

  /** Counts anew where that is due. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#countedAt < TRUST_TIME) return;
    this.#counting ??= this.#countAll().finally(() => this.#counting = undefined);
    await this.#counting;
  }

  /** Begins to count a name as so many bytes, or those that are there; it is not removed then. */
  reserve(name: string, bytes: number = this.#files.get(name)?.size ?? 0): void {
    this.#set(name, undefined);
    this.#reservedBytes += bytes - (this.#reserved.get(name) ?? 0);
    this.#reserved.set(name, bytes);
  }

  /** Counts a name by what is there again. */
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

  /** Removes the part that nobody touched for the longest time; false where there is none. */
  async evict(): Promise<boolean> {
    let oldest: string | undefined;
    for (const [name, { modified }] of this.#files) {
      if (!isPartName(name)) continue;
      if (oldest === undefined || modified < this.#files.get(oldest)!.modified) oldest = name;
    }
    if (oldest === undefined) return false;
    await this.#remove(oldest);
    return true;
  }

  async #remove(name: string): Promise<void> {
    this.#set(name, undefined);
    try {
      await Deno.remove(join(this.#path, name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
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
      if (!isPartName(name) || modified >= oldest || this.#reserved.has(name)) continue;
      await this.#remove(name);
    }
  }
}

function counted({ size, mtime }: Deno.FileInfo): Counted {
  return { size, modified: mtime?.getTime() ?? 0 };
}
