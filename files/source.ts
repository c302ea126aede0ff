/** A file that is sent. */

import { type Checksum, recall, type Remembered } from "./checksum.ts";
import { fileError, fileFailure } from "./errors.ts";
import { type Opened, openRegular, readFull } from "./regular.ts";
import type { FileDigest } from "./types.ts";

/**
 * A file to be sent, from any offset on and more than once. It notices when the file is changed
 * meanwhile: what is sent is always one file's content, or an error.
 */
export class FileSource implements Disposable {
  /** What to call it in errors. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** When it was changed, in milliseconds since 1970. */
  readonly modified: number | null;
  /** Tells this transfer from others. */
  readonly id: string = crypto.randomUUID();
  readonly #file: Deno.FsFile;
  readonly #info: Deno.FileInfo;
  readonly #checksum: Checksum;

  private constructor(name: string, { file, info }: Opened, checksum: Checksum) {
    this.name = name;
    this.#file = file;
    this.#info = info;
    this.#checksum = checksum;
    this.size = info.size;
    this.modified = info.mtime?.getTime() ?? null;
  }

  /**
   * Opens a file.
   *
   * @throws {RequestError} `not-found`, `not-a-file`, `not-permitted`
   */
  static async open(path: string, name: string): Promise<FileSource> {
    return await FileSource.reopen(path, name, undefined);
  }

  /**
   * As `open()`, with what is known of the file, to spare reading it again.
   *
   * @ignore
   */
  static async reopen(
    path: string,
    name: string,
    remembered: Remembered | undefined,
  ): Promise<FileSource> {
    try {
      const opened = await openRegular(path, `read ${name}`);
      return new FileSource(name, opened, recall(remembered, opened.info));
    } catch (error) {
      throw fileFailure(error, `read ${name}`);
    }
  }

  /**
   * SHA-256 of the first bytes.
   *
   * @throws {RequestError} `source-changed` when there are not so many any more.
   */
  async digestOf(bytes: number, signal?: AbortSignal): Promise<string> {
    if (!await this.#checksum.moveTo(bytes, this.#file, signal)) throw this.#changed();
    return this.#checksum.digest();
  }

  /**
   * The bytes from an offset on, then the digest of all. A chunk may be written over when the next
   * one is asked for; only one such iteration at a time.
   *
   * @throws {RequestError} `source-changed`
   */
  async *chunks(
    offset: number,
    chunkBytes: number,
  ): AsyncGenerator<Uint8Array | FileDigest, void, void> {
    await this.#checkUnchanged();
    if (!await this.#checksum.moveTo(offset, this.#file)) throw this.#changed();
    await this.#file.seek(offset, Deno.SeekMode.Start);
    // One block is sent while the other one is filled.
    const blocks = [new Uint8Array(chunkBytes), new Uint8Array(chunkBytes)];
    let reading = this.#read(blocks[0], offset);
    try {
      for (let turn = 1; offset < this.size; turn++) {
        const chunk = await reading;
        if (chunk.length === 0) throw this.#changed();
        offset += chunk.length;
        reading = this.#read(blocks[turn % 2], offset);
        this.#checksum.update(chunk);
        yield chunk;
      }
    } finally {
      await reading.catch(() => {}); // Nobody waits for what was read ahead.
    }
    await this.#checkUnchanged();
    yield { sha256: this.#checksum.digest() };
  }

  async #read(block: Uint8Array, offset: number): Promise<Uint8Array> {
    const wanted = block.subarray(0, Math.min(block.length, this.size - offset));
    return wanted.subarray(0, await readFull(this.#file, wanted));
  }

  async #checkUnchanged(): Promise<void> {
    const { size, mtime } = await this.#file.stat();
    if (size !== this.size || (mtime?.getTime() ?? null) !== this.modified) throw this.#changed();
  }

  /**
   * What is worth remembering, for whoever opens it next; this one must be closed then.
   *
   * @ignore
   */
  get remembered(): Remembered {
    return { info: this.#info, checksum: this.#checksum };
  }

  #changed(): Error {
    return fileError("source-changed", `read ${this.name}`, "it was changed meanwhile");
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
