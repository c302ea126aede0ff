/**
 * `--log-file`: the log in a file, which is opened again when another program has moved it away, as
 * logrotate does. A log that cannot be written holds nothing up.
 */

import { reasonOf } from "../../internal/reason.ts";
import { requireFile } from "./given.ts";
import { Output } from "./output.ts";
import { messageOf } from "./report.ts";
import type { StandardStream } from "./writing.ts";

/** How long the last lines may take, in milliseconds. */
const LAST_LINES = 1_000;
const NEWLINE = 0x0a;

/** What a log file needs. */
export interface LogFileOptions {
  /** Takes the log while there is no file. */
  readonly otherwise: Output;
  /** Told once why the log cannot be written, and what becomes of it. */
  readonly onFailure: (message: string) => void;
  /** Makes the line that tells that so many lines were dropped. */
  readonly note: (dropped: number) => string;
}

/** A file that is appended to, through a queue as that of each {@linkcode Output}. */
export class LogFile implements AsyncDisposable {
  /** Its name. */
  readonly path: string;
  readonly #options: LogFileOptions;
  #current: AppendedFile | undefined;
  #state: "open" | "closed" = "open";

  /** It is not open yet; {@linkcode reopen} opens it. */
  constructor(path: string, options: LogFileOptions) {
    this.path = path;
    this.#options = options;
  }

  /** Whether the log goes to the file. */
  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  /** Takes a line if not too much is queued; else the line is dropped and counted. */
  offer(line: string): void {
    this.#output.offer(line);
  }

  /** Takes whole lines, however much is queued. Resolves when there is room for more. */
  async write(lines: Uint8Array): Promise<void> {
    const output = this.#output;
    output.write(lines);
    await Promise.allSettled([output.room()]);
  }

  get #output(): Output {
    return this.#current?.output ?? this.#options.otherwise;
  }

  /**
   * Opens the file of this name, and leaves the one that had it before. If that fails, the reason is
   * told, and the log goes where it went. Resolves to whether it is open.
   */
  async reopen(): Promise<boolean> {
    const { onFailure, note } = this.#options;
    try {
      const file = new AppendedFile(this.path, await openToAppend(this.path));
      if (this.#state === "closed") return await file.close(), false;
      file.output.onFailure = ({ message }) => onFailure(`${message}; lines are dropped`);
      file.output.note = note;
      const before = this.#current;
      this.#current = file;
      await before?.close();
      return true;
    } catch (error) {
      const where = this.#current === undefined ? "the log goes here" : "the old file stays";
      onFailure(`${messageOf(error)}; ${where}, and SIGHUP tries again`);
      return false;
    }
  }

  /** Closes it, when what is queued has had a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "closed";
    await this.#current?.close();
    this.#current = undefined;
  }
}

async function openToAppend(path: string): Promise<Deno.FsFile> {
  const name = `--log-file ${path}`;
  await requireFile("write", path, name);
  try {
    return await Deno.open(path, { append: true, create: true });
  } catch (error) {
    throw new Error(`${name}: ${reasonOf(error)}`, { cause: error });
  }
}

/** One open file. After a disk was full, the line that was cut stays a line of its own. */
class AppendedFile implements StandardStream {
  readonly keeps = false;
  readonly isTerminal = false;
  readonly output: Output;
  readonly #file: Deno.FsFile;
  #state: "at a line's start" | "in a line" | "in a line that was cut" = "at a line's start";

  constructor(path: string, file: Deno.FsFile) {
    this.output = new Output(path, this);
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      if (this.#state === "in a line that was cut") {
        await this.#file.write(new Uint8Array([NEWLINE]));
        this.#state = "at a line's start";
      }
      const taken = await this.#file.write(bytes);
      this.#state = bytes[taken - 1] === NEWLINE ? "at a line's start" : "in a line";
      return taken;
    } catch (error) {
      if (this.#state === "in a line") this.#state = "in a line that was cut";
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.output.end(LAST_LINES);
    this.#file.close();
  }
}
