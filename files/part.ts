/** A file that is received: under another name until it is whole. */

import { dirname, join } from "node:path";
import { writeAll } from "../internal/bytes.ts";
import { type Checksum, MAX_TIME_STEP, recall, type Remembered } from "./checksum.ts";
import { fileError, fileFailure } from "./errors.ts";
import { partName } from "./names.ts";
import { infoOf, lock, type Opened, openRegular } from "./regular.ts";

/** How often it is tried to open a file that others move away at the same moment. */
const MAX_ATTEMPTS = 3;

/** How to open a {@linkcode FilePart}. */
export interface PartOptions {
  /** What is known of the bytes from before, to spare reading them again. */
  remembered?: Remembered;
}

/**
 * The beginning of a file, in a file of its own beside the place where it will be. It is locked, so
 * that nobody else writes to it. `finish()` verifies it, brings it to the disk and moves it to its
 * name; `close()` keeps what is there for another time, `discard()` does not.
 */
export class FilePart {
  /** Where it will be. */
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
   * Opens what there is of a file, or begins it.
   *
   * @throws {RequestError} `busy` when it is being written already, `not-a-file`, `not-permitted`,
   * `disk-full`
   */
  static async open(path: string, name: string, options: PartOptions = {}): Promise<FilePart> {
    const opened = await openPart(partPath(path, name), name);
    await opened.file.seek(0, Deno.SeekMode.End);
    return new FilePart(path, name, opened, recall(options.remembered, opened.info));
  }

  /** Bytes that are there. */
  get offset(): number {
    return this.#offset;
  }

  /** SHA-256 of what is there. */
  async digest(signal?: AbortSignal): Promise<string> {
    await this.#settled();
    if (!await this.#checksum.moveTo(this.#offset, this.#file, signal)) {
      throw fileError("source-changed", `write ${this.#name}`, "its part was changed meanwhile");
    }
    await this.#file.seek(this.#offset, Deno.SeekMode.Start);
    return this.#checksum.digest();
  }

  /**
   * Adds bytes, which must stay as they are; resolves when those before are written.
   *
   * @throws {RequestError} `disk-full` and what else the system says, also of those before.
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#checksum.offset !== this.#offset) await this.digest();
    await this.#settled();
    this.#offset += bytes.length;
    this.#writing = writeAll(this.#file, bytes);
    this.#writing.catch(() => {}); // Told by whoever waits next.
    this.#checksum.update(bytes); // While the system writes.
  }

  /** Throws away what is there, to start afresh. */
  async restart(): Promise<void> {
    await this.#settled();
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
    this.#checksum.reset();
    this.#offset = 0;
  }

  /**
   * Verifies that it is whole, and moves it to its place.
   *
   * @throws {RequestError} `hash-mismatch`; what was there is gone then. `exists`, `disk-full`
   */
  async finish(sha256: string, options: { replace?: boolean } = {}): Promise<void> {
    const what = `write ${this.#name}`;
    const digest = await this.digest();
    if (digest !== sha256) {
      await this.discard();
      throw fileError("hash-mismatch", what, "it did not arrive as it was sent");
    }
    try {
      await this.#file.sync();
      const there = await infoOf(this.path);
      if (there !== undefined && !there.isFile) {
        throw fileError("not-a-file", what, "what is there is no regular file");
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

  /** Closes it and keeps what is there; resolves to what is worth remembering. */
  async close(): Promise<Remembered | undefined> {
    if (this.#state === "closed") return;
    try {
      await this.#settled();
      if (this.#offset === 0) {
        await this.discard();
        return;
      }
      const at = Date.now();
      // Whoever changes it from now on gives it another time than this, however soon that is.
      await this.#file.utime(new Date(at), new Date(at - 2 * MAX_TIME_STEP));
      return { info: await this.#file.stat(), at, checksum: this.#checksum };
    } catch {
      // Then whoever opens it next has to read it.
    } finally {
      this.#close();
    }
  }

  /** Closes it and removes what is there. */
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
      // How much of it was written is not known here; the file itself knows.
      this.#state = "broken";
      throw fileFailure(error, `write ${this.#name}`);
    }
  }
}

function partPath(path: string, name: string): string {
  return join(dirname(path), partName(name));
}

/** Opens a part for one writer. Between opening and locking it may have been moved away. */
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
      // It is in its place too, where nobody may write to it, since its writer was killed between.
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
 * Gives a part its name, unless there is a file of that name, also one that came just now.
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
  await Deno.remove(part).catch(() => {}); // Else whoever opens it next sees that it has two names.
}

/** So that the new name survives a loss of power, where the system has a way to say so. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path);
    await directory.sync();
  } catch {
    // Windows does not open directories.
  }
}
