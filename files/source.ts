/** A file that is being sent. */

import { requireDenoFor } from "../internal/runtime/runtime.ts";
import { ChunkSize } from "./chunk_size.ts";
import { type Checksum, recall, type Remembered } from "./checksum.ts";
import { fileError, fileFailure } from "./errors.ts";
import { type Opened, openRegular, readFull } from "./regular.ts";
import type { FileDigest } from "./types.ts";

/**
 * A file to send, from any offset and more than once. It notices when the file is changed during
 * that time. The result is always the content of one version of the file, or an error.
 */
export class FileSource implements Disposable {
  /** The name of the file in errors. */
  readonly name: string;
  /** The size of the file, in bytes. */
  readonly size: number;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modified: number | null;
  /** A secret text that identifies this transfer. */
  readonly id: string = crypto.randomUUID();
  readonly #file: Deno.FsFile;
  readonly #info: Deno.FileInfo;
  readonly #checksum: Checksum;
  readonly #openedAt = Date.now();

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
   * @throws {RequestError} `not-found`, `not-a-file`, `not-permitted`, `invalid-name`, `io-error`
   */
  static async open(path: string, name: string): Promise<FileSource> {
    return await FileSource.reopen(path, name, undefined);
  }

  /**
   * Like `open()`, with a checksum from before, so that the file need not be read again.
   *
   * @ignore
   */
  static async reopen(
    path: string,
    name: string,
    remembered: Remembered | undefined,
  ): Promise<FileSource> {
    requireDenoFor("files on disk");
    try {
      const opened = await openRegular(path, `read ${name}`);
      return new FileSource(name, opened, recall(remembered, opened.info));
    } catch (error) {
      throw fileFailure(error, `read ${name}`);
    }
  }

  /**
   * SHA-256 of the first `bytes` bytes.
   *
   * @throws {RequestError} `source-changed` when the file has fewer bytes now, `io-error`
   * @throws what `signal` was aborted with.
   */
  async digestOf(bytes: number, signal?: AbortSignal): Promise<string> {
    await this.#moveTo(bytes, signal);
    return this.#checksum.digest();
  }

  async #moveTo(offset: number, signal: AbortSignal | undefined): Promise<void> {
    let isThere: boolean;
    try {
      isThere = await this.#checksum.moveTo(offset, this.#file, signal);
    } catch (error) {
      throw fileFailure(error, `read ${this.name}`);
    }
    if (!isThere) throw this.#changed();
  }

  /**
   * The bytes from an offset on, then the digest of the whole file. A chunk may be overwritten when
   * the next one is asked for. Only one such iteration may run at a time. `signal` ends the reading
   * of the bytes before the offset.
   *
   * @throws {RequestError} `source-changed`, `io-error`
   * @throws what `signal` was aborted with.
   */
  async *chunks(
    offset: number,
    maxChunkBytes: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | FileDigest, void, void> {
    await this.#checkUnchanged();
    await this.#moveTo(offset, signal);
    await this.#file.seek(offset, Deno.SeekMode.Start);
    const chunkSize = new ChunkSize(maxChunkBytes, performance.now());
    // One block is sent while the other one is filled.
    const blocks: Uint8Array[] = [];
    const readAhead = (turn: number) => {
      const { bytes } = chunkSize;
      if (blocks[turn % 2]?.length !== bytes) blocks[turn % 2] = new Uint8Array(bytes);
      const reading = this.#read(blocks[turn % 2], offset);
      reading.catch(() => {}); // The error comes when it is that chunk's turn, perhaps never.
      return reading;
    };
    let reading = readAhead(0);
    try {
      for (let turn = 1; offset < this.size; turn++) {
        const chunk = await reading;
        if (chunk.length === 0) throw this.#changed();
        offset += chunk.length;
        reading = readAhead(turn);
        this.#checksum.update(chunk);
        yield chunk;
        chunkSize.left(chunk.length, performance.now());
      }
    } finally {
      await reading.catch(() => {}); // Otherwise the file would be closed during the read.
    }
    await this.#checkUnchanged();
    yield { sha256: this.#checksum.digest() };
  }

  async #read(block: Uint8Array, offset: number): Promise<Uint8Array> {
    const wanted = block.subarray(0, Math.min(block.length, this.size - offset));
    try {
      return wanted.subarray(0, await readFull(this.#file, wanted));
    } catch (error) {
      throw fileFailure(error, `read ${this.name}`);
    }
  }

  async #checkUnchanged(): Promise<void> {
    const { size, mtime } = await this.#file.stat();
    if (size !== this.size || (mtime?.getTime() ?? null) !== this.modified) throw this.#changed();
  }

  /**
   * The checksum, for the next one who opens the file. This source must be closed before that.
   *
   * @ignore
   */
  get remembered(): Remembered {
    return { info: this.#info, at: this.#openedAt, checksum: this.#checksum };
  }

  #changed(): Error {
    return fileError("source-changed", `read ${this.name}`, "it was changed in the meantime");
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
