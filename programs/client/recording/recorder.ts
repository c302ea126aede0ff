/** Writes a recording. */

import { reasonOf } from "../../../internal/reason.ts";
import { requireFile } from "../../shared/given.ts";
import { type Entry, readEntry, RECORDING_VERSION, writeEntry } from "./format.ts";

/** The recording cannot be written any more. */
export class RecordingError extends Error {}

/** A longer first line is not that of a recording. */
const MAX_HEADER_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

const encoder = new TextEncoder();

/**
 * A file that is recorded to. What was recorded is at its end when `flush()` returns, and stays there
 * whatever becomes of this process.
 */
export class Recorder implements Disposable {
  readonly #name: string;
  readonly #file: Deno.FsFile;
  #lines = "";
  #failure: RecordingError | undefined;

  private constructor(name: string, file: Deno.FsFile) {
    this.#name = name;
    this.#file = file;
  }

  /**
   * Opens a file to append to, or makes it.
   *
   * @throws {Error} if it may not or cannot be written, or is no recording of this version.
   */
  static async open(path: string): Promise<Recorder> {
    for (const permission of ["read", "write"] as const) {
      await requireFile(permission, path, `--record ${path}`);
    }
    try {
      const file = await Deno.open(path, { read: true, append: true, create: true });
      const recorder = new Recorder(path, file);
      try {
        await recorder.#checkStart();
        return recorder;
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof RecordingError) throw error;
      throw new RecordingError(`--record ${path}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Refuses what is no recording, and ends a line that a killed process has left. */
  async #checkStart(): Promise<void> {
    const { isFile, size } = await this.#file.stat();
    if (!isFile || size === 0) return;
    const start = new Uint8Array(MAX_HEADER_BYTES);
    const bytes = await this.#file.read(start) ?? 0;
    const end = start.subarray(0, bytes).indexOf(NEWLINE);
    const line = new TextDecoder().decode(start.subarray(0, end < 0 ? bytes : end));
    const entry = readEntry(line);
    if (entry?.type !== "recording") {
      throw new RecordingError(`--record ${this.#name}: the file is there, and is no recording`);
    }
    if (entry.version !== RECORDING_VERSION) {
      throw new RecordingError(
        `--record ${this.#name}: the file has version ${entry.version} of recordings, and this ` +
          `program writes version ${RECORDING_VERSION}`,
      );
    }
    await this.#file.seek(-1, Deno.SeekMode.End);
    const last = new Uint8Array(1);
    await this.#file.read(last);
    if (last[0] !== NEWLINE) this.#lines = "\n";
  }

  /** Takes an entry. It is not in the file yet. */
  add(entry: Entry): void {
    this.#lines += writeEntry(entry);
  }

  /**
   * Writes what was added. It does not wait: a disk takes it at once, and messages should not pass each
   * other.
   *
   * @throws {RecordingError} if it cannot be written. Then all further calls throw it, too.
   */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#lines === "") return;
    const bytes = encoder.encode(this.#lines);
    this.#lines = "";
    try {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (cause) {
      const message = `Cannot write to ${this.#name}: ${reasonOf(cause)}`;
      throw this.#failure = new RecordingError(message, { cause });
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
