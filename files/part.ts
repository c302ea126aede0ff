/** A file that is being received. It has another name until it is complete. */

import { dirname, join } from "node:path";
import { writeAll } from "../internal/bytes.ts";
import { type Checksum, MAX_TIME_STEP, recall, type Remembered } from "./checksum.ts";
import { fileError, fileFailure } from "./errors.ts";
import { partName } from "./names.ts";
import { infoOf, lock, type Opened, openRegular } from "./regular.ts";

/** How many attempts there are to open a file that others may move away at the same moment. */
const MAX_ATTEMPTS = 3;

/** How to open a {@linkcode FilePart}. */
export interface PartOptions {
  /** The checksum of the earlier bytes, so that they need not be read again. */
  remembered?: Remembered;
}

/**
 * The beginning of a file, in a file of its own in the same directory. It is locked, so that nobody
 * else writes to it. `finish()` verifies it, brings it to the disk and moves it to its name.
 * `close()` keeps the bytes for another attempt; `discard()` removes them.
 */
export class FilePart {
  /** The path of the file when it is complete. */
  readonly path: string;
  readonly #name: string;
  readonly #partPath: string;
  readonly #file: Deno.FsFile;
  readonly #checksum: Checksum;
  #offset: number;
  #writing: Promise<void> | undefined;
  #state: "open" | "broken" | "closed" = "open";

  private constructor(path: string, name: string, opened: Opened, checksum: Checksum) {
    this.path = path;
    this.#name = name;
    this.#partPath = partPath(path, name);
    this.#file = opened.file;
    this.#offset = opened.info.size;
    this.#checksum = checksum;
  }

  /**
   * Opens the part of a file that has arrived, or begins a new one.
   *
   * @throws {RequestError} `busy` when it is being written already, `not-a-file`, `not-permitted`,
   * `disk-full`
   */
  static async open(path: string, name: string, options: PartOptions = {}): Promise<FilePart> {
    const opened = await openPart(partPath(path, name), name);
    await opened.file.seek(0, Deno.SeekMode.End);
    return new FilePart(path, name, opened, recall(options.remembered, opened.info));
  }

  /** How many bytes have arrived. */
  get offset(): number {
    return this.#offset;
  }

  /** SHA-256 of the bytes that have arrived. */
  async digest(signal?: AbortSignal): Promise<string> {
    await this.#settled();
    if (!await this.#checksum.moveTo(this.#offset, this.#file, signal)) {
      throw fileError(
        "source-changed",
        `write ${this.#name}`,
        "its part was changed in the meantime",
      );
    }
    await this.#file.seek(this.#offset, Deno.SeekMode.Start);
    return this.#checksum.digest();
  }

  /**
   * Adds bytes, which must not be changed afterwards. Resolves when the bytes before them are
   * written.
   *
   * @throws {RequestError} `disk-full`, and for other errors of the system, also about the bytes
   * before.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#checksum.offset !== this.#offset) await this.digest();
    await this.#settled();
    this.#offset += bytes.length;
    this.#writing = writeAll(this.#file, bytes);
    this.#writing.catch(() => {}); // The next call that waits gets the error.
    this.#checksum.update(bytes); // While the system writes.
  }

  /** Throws the bytes away, to start again from the beginning. */
  async restart(): Promise<void> {
    await this.#settled();
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
    this.#checksum.reset();
    this.#offset = 0;
  }

  /**
   * Verifies that the file is complete, and moves it to its place.
   *
   * @throws {RequestError} `hash-mismatch` (the bytes are removed then), `exists`, `disk-full`
   */
  async finish(sha256: string, options: { replace?: boolean } = {}): Promise<void> {
    const what = `write ${this.#name}`;
    const digest = await this.digest();
    if (digest !== sha256) {
      await this.discard();
      throw fileError("hash-mismatch", what, "the bytes that arrived are not those that were sent");
    }
    try {
      await this.#file.sync();
      const there = await infoOf(this.path);
      if (there !== undefined && !there.isFile) {
        throw fileError("not-a-file", what, "there is something that is not a regular file");
      }
      if (there !== undefined && !options.replace) {
        throw fileError("exists", what, "there is one of that name");
      }
      if (options.replace) await Deno.rename(this.#partPath, this.path);
      else await linkPart(this.#partPath, this.path);
      await syncDirectory(dirname(this.path));
    } catch (error) {
      throw fileFailure(error, what);
    }
    this.#close();
  }

  /** Closes the part and keeps the bytes. Resolves to the checksum, if it is worth remembering. */
  async close(): Promise<Remembered | undefined> {
    if (this.#state === "closed") return;
    try {
      await this.#settled();
      if (this.#offset === 0) {
        await this.discard();
        return;
      }
      const at = Date.now();
      // Every later change gives the file another time than this, however soon it comes.
      await this.#file.utime(new Date(at), new Date(at - 2 * MAX_TIME_STEP));
      return { info: await this.#file.stat(), at, checksum: this.#checksum };
    } catch {
      // Then the next one who opens it must read it.
    } finally {
      this.#close();
    }
  }

  /** Closes the part and removes it. */
  async discard(): Promise<void> {
    if (this.#state === "closed") return;
    await this.#writing?.catch(() => {});
    try {
      await Deno.remove(this.#partPath);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw fileFailure(error, `drop ${this.#name}`);
    } finally {
      this.#close();
    }
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#file.close();
  }

  async #settled(): Promise<void> {
    const writing = this.#writing;
    if (this.#state === "closed") {
      throw fileError("incomplete", `write ${this.#name}`, "it was closed");
    }
    try {
      await writing;
    } catch (error) {
      // It is not known here how much was written. The file itself shows it.
      this.#state = "broken";
      throw fileFailure(error, `write ${this.#name}`);
    }
  }
}

function partPath(path: string, name: string): string {
  return join(dirname(path), partName(name));
}

/** Opens a part for one writer. Somebody may move it away between opening and locking. */
async function openPart(path: string, name: string): Promise<Opened> {
  const what = `write ${name}`;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    let opened: Opened;
    try {
      opened = await openOrCreate(path, what);
    } catch (error) {
      throw fileFailure(error, what);
    }
    const { file } = opened;
    let isOurs = false;
    try {
      const info = await lock(file, path);
      if (info === undefined) continue;
      isOurs = (info.nlink ?? 1) === 1;
      if (isOurs) return { file, info };
      // It has its final name too, because its writer was killed in between. Nobody may write to
      // it.
      await Deno.remove(path);
    } catch (error) {
      throw fileFailure(error, what);
    } finally {
      if (!isOurs) file.close();
    }
  }
  throw fileError("busy", what, "it is being written already");
}

async function openOrCreate(path: string, what: string): Promise<Opened> {
  if (await infoOf(path) !== undefined) return await openRegular(path, what, { write: true });
  // `createNew` follows no link.
  const file = await Deno.open(path, { read: true, write: true, createNew: true });
  return { file, info: await file.stat() };
}

/**
 * Gives a part its name, unless there is a file with that name, even one that appeared just now.
 *
 * @throws {Deno.errors.AlreadyExists}
 */
async function linkPart(part: string, path: string): Promise<void> {
  try {
    await Deno.link(part, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    return await Deno.rename(part, path); // Some file systems have no links.
  }
  // If this fails, the next one who opens it sees that it has two names.
  await Deno.remove(part).catch(() => {});
}

/** Makes the new name survive a loss of power, if the system has a way to do so. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path);
    await directory.sync();
  } catch {
    // Windows does not open directories.
  }
}
