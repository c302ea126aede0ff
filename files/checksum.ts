/** SHA-256 of the bytes so far, with marks to return to. */

import { createHash, type Hash } from "node:crypto";
import { isSame, readFull } from "./regular.ts";

/** The distance between two marks, in bytes. */
const MARK_EVERY = 4 * 1024 * 1024;
/** Enough to go back further than a cut connection loses. */
const MAX_MARKS = 16;
const READ_BYTES = 1024 * 1024;

/**
 * A running SHA-256 that can go back. A short way back does not make it read the whole file again.
 */
export class Checksum {
  #hash: Hash = createHash("sha256");
  #offset = 0;
  #marks: { readonly offset: number; readonly hash: Hash }[] = [];

  /** How many bytes the checksum covers. */
  get offset(): number {
    return this.#offset;
  }

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#offset += bytes.length;
    if (this.#offset - (this.#marks.at(-1)?.offset ?? 0) < MARK_EVERY) return;
    this.#marks.push({ offset: this.#offset, hash: this.#hash.copy() });
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /** The digest of the bytes so far, as hexadecimal digits. More bytes may follow. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Starts again from the beginning. */
  reset(): void {
    this.#hash = createHash("sha256");
    this.#offset = 0;
    this.#marks = [];
  }

  /**
   * Moves to an offset, from a mark before it or from the current offset, and reads the missing
   * bytes from the file. Returns false when the file ends before the offset.
   */
  async moveTo(offset: number, file: Deno.FsFile, signal?: AbortSignal): Promise<boolean> {
    if (offset < this.#offset) this.#goBack(offset);
    if (offset === this.#offset) return true;
    await file.seek(this.#offset, Deno.SeekMode.Start);
    const block = new Uint8Array(Math.min(READ_BYTES, offset - this.#offset));
    while (this.#offset < offset) {
      signal?.throwIfAborted();
      const wanted = Math.min(block.length, offset - this.#offset);
      const count = await readFull(file, block.subarray(0, wanted));
      this.update(block.subarray(0, count));
      if (count < wanted) return false;
    }
    return true;
  }

  #goBack(offset: number): void {
    while (this.#marks.length > 0 && this.#marks.at(-1)!.offset > offset) this.#marks.pop();
    const mark = this.#marks.at(-1);
    this.#hash = mark?.hash.copy() ?? createHash("sha256");
    this.#offset = mark?.offset ?? 0;
  }
}

/** The largest step in which a file system counts time, in milliseconds: that of FAT. */
export const MAX_TIME_STEP = 2_000;

/** The checksum of a closed file, with what is needed to see that the file is still the same. */
export interface Remembered {
  /** What the system said about the file. */
  readonly info: Deno.FileInfo;
  /** When the system said so, in milliseconds since 1970. */
  readonly at: number;
  /** The checksum of its first bytes. It belongs to whoever opens the file next. */
  readonly checksum: Checksum;
}

/** The remembered checksum if the file was not touched since then; otherwise a new one. */
export function recall(remembered: Remembered | undefined, now: Deno.FileInfo): Checksum {
  return remembered !== undefined && isUntouched(remembered, now)
    ? remembered.checksum
    : new Checksum();
}

function isUntouched({ info: before, at }: Remembered, now: Deno.FileInfo): boolean {
  const modified = before.mtime?.getTime() ?? Infinity;
  // A file that was changed just before may be changed again without getting another time.
  return at - modified >= MAX_TIME_STEP && modified === now.mtime?.getTime() &&
    before.ctime?.getTime() === now.ctime?.getTime() && before.size === now.size &&
    isSame(before, now);
}
