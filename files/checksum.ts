/** SHA-256 of what has gone by, with marks to go back to. */

import { createHash, type Hash } from "node:crypto";
import { isSame, readFull } from "./regular.ts";

/** What is between two marks, in bytes. */
const MARK_EVERY = 4 * 1024 * 1024;
/** As far back as a cut connection loses, and more. */
const MAX_MARKS = 16;
const READ_BYTES = 1024 * 1024;

/** A running SHA-256 that can go back a little, so that a short way back costs no long reading. */
export class Checksum {
  #hash: Hash = createHash("sha256");
  #offset = 0;
  #marks: { readonly offset: number; readonly hash: Hash }[] = [];

  /** Bytes it is of. */
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

  /** The digest of what there was until now, as hexadecimal digits; it may go on. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Starts afresh. */
  reset(): void {
    this.#hash = createHash("sha256");
    this.#offset = 0;
    this.#marks = [];
  }

  /**
   * Goes to an offset, back to a mark or from where it is, and reads what is missing from the file.
   * Returns false when the file ends before.
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

/** The coarsest steps in which file systems count time, in milliseconds: those of FAT. */
export const MAX_TIME_STEP = 2_000;

/** The checksum of a file that was closed, and how to know that the file is still the same. */
export interface Remembered {
  /** What the file was. */
  readonly info: Deno.FileInfo;
  /** When it was looked at for that, in milliseconds since 1970. */
  readonly at: number;
  /** Of its first bytes; of whoever opens it next. */
  readonly checksum: Checksum;
}

/** The remembered checksum if the file was not touched since, else a new one. */
export function recall(remembered: Remembered | undefined, now: Deno.FileInfo): Checksum {
  return remembered !== undefined && isUntouched(remembered, now)
    ? remembered.checksum
    : new Checksum();
}

function isUntouched({ info: before, at }: Remembered, now: Deno.FileInfo): boolean {
  const modified = before.mtime?.getTime() ?? Infinity;
  // A file that had just been changed may be changed again without another time.
  return at - modified >= MAX_TIME_STEP && modified === now.mtime?.getTime() &&
    before.ctime?.getTime() === now.ctime?.getTime() && before.size === now.size &&
    isSame(before, now);
}
