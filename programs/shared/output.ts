/** Standard output and standard error as queues: who tells something does not wait for who reads it. */

import { concat } from "@std/bytes/concat";
import { codeOf, reasonOf } from "../../internal/reason.ts";
import { within } from "./within.ts";
import { type StandardStream, writeOut } from "./writing.ts";

/** With more than this queued there is no room, in bytes. */
const MAX_QUEUED = 64 * 1024;

const encoder = new TextEncoder();

/** The output cannot be written, for a reason that is told once, when it happens. */
export class OutputError extends Error {}

/** Nobody reads the output any more, as `head` does when it has enough. */
export class ReaderGoneError extends OutputError {}

/**
 * Where a program writes to.
 *
 * - **Order**: everything is written in the order in which it was given.
 * - **Waiting** is up to the caller: {@linkcode room} and {@linkcode flush} wait, also for a pipe that
 *   says that it is full instead of blocking. Nothing else in the process waits for the reader.
 * - **Loss**: only what was offered is dropped, where too much is queued or the system takes nothing.
 *   It is counted, and a note is written as soon as the output flows again.
 */
export class Output {
  /** Called once, when the system first refuses to take the output. Not when its reader has gone. */
  onFailure: ((error: OutputError) => void) | undefined;
  /** What tells that so many lines were dropped. */
  note: (dropped: number) => string = (dropped) => `${dropped} lines were dropped\n`;
  /** With more than this queued, offered lines are dropped, in bytes. */
  maxOfferedBytes = MAX_QUEUED;
  readonly #name: string;
  readonly #to: StandardStream;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #state: "idle" | "writing" | "ended" = "idle";
  #failure: OutputError | undefined;
  #change = Promise.withResolvers<void>();

  /** An output under a name, for messages. */
  constructor(name: string, to: StandardStream) {
    this.#name = name;
    this.#to = to;
  }

  /** Whether it was a terminal at the start. */
  get isTerminal(): boolean {
    return this.#to.isTerminal;
  }

  /** Bytes that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Why something was not written; the first reason, if there were several. */
  get failure(): OutputError | undefined {
    return this.#failure;
  }

  /** Takes it, however much is queued: who writes much asks for {@linkcode room}. */
  write(output: string | Uint8Array): void {
    if (this.#state === "ended") return;
    const bytes = typeof output === "string" ? encoder.encode(output) : output;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#state === "writing") return;
    this.#state = "writing";
    this.#writeQueue();
  }

  /** Takes a line if not too much is queued; else the line is dropped and counted. */
  offer(line: string): void {
    if (this.#queuedBytes > this.maxOfferedBytes) this.#dropped++;
    else this.write(line);
  }

  /**
   * Waits until there is room.
   *
   * @throws {OutputError} if something was not written.
   */
  async room(): Promise<void> {
    await this.#until(MAX_QUEUED);
  }

  /**
   * Waits until everything is written.
   *
   * @throws {OutputError} if something was not written.
   */
  async flush(): Promise<void> {
    await this.#until(0);
  }

  /** Waits so many milliseconds until everything is written, then drops what is left, and all that follows. */
  async end(patience: number): Promise<void> {
    await within(patience, this.flush());
    this.giveUp();
  }

  /** Drops what is queued, and all that follows. */
  giveUp(error?: OutputError): void {
    if (this.#queuedBytes > 0) this.#failure ??= error;
    this.#state = "ended";
    this.#dropQueue();
    this.#notify();
  }

  async #until(bytes: number): Promise<void> {
    while (this.#queuedBytes > bytes) await this.#change.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #writeQueue(): Promise<void> {
    await Promise.resolve(); // One write for all that is told in this turn.
    while (this.#queue.length > 0) {
      const lines = this.#queue.splice(0);
      try {
        await writeOut(this.#to, lines.length === 1 ? lines[0] : concat(lines));
        if (this.#state === "ended") return;
        this.#queuedBytes -= lines.reduce((sum, { length }) => sum + length, 0);
        this.#tellDropped();
      } catch (error) {
        this.#queue.unshift(...lines);
        this.#fail(error);
      }
      this.#notify();
    }
    if (this.#state === "writing") this.#state = "idle";
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.#queuedBytes > MAX_QUEUED) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.write(this.note(dropped));
  }

  /** A disk that is full may have room again, so what follows is tried; a reader does not come back. */
  #fail(cause: unknown): void {
    if (this.#state === "ended") return this.#dropQueue();
    const isHungUp = this.#to.isTerminal && codeOf(cause) === "EIO";
    const isGone = isHungUp || cause instanceof Deno.errors.BrokenPipe;
    if (isGone) this.#state = "ended";
    this.#dropQueue();
    if (this.#failure !== undefined) return;
    const message = `Cannot write to ${this.#name}: ${reasonOf(cause)}`;
    this.#failure = new (isGone ? ReaderGoneError : OutputError)(message, { cause });
    if (!isGone) this.onFailure?.(this.#failure);
  }

  #dropQueue(): void {
    this.#dropped += this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
