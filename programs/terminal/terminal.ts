/**
 * The keyboard and the screen of the client's talk mode: a line that can be edited while messages
 * are printed above it.
 *
 * @module
 */

import type { Completion } from "./completion.ts";
import { endsLine, firstPiece, isKey, isText, mayGoOn } from "./keys.ts";
import { LineEditor } from "./line_editor.ts";
import { BREAK, endOfInterrupt, MARKS_OFF, MARKS_ON, PASTE_START, takePaste } from "./paste.ts";
import { Screen } from "./screen.ts";

/** Lines not yet taken; beyond it keys wait. */
const MAX_LINES = 1024;
/** Characters that wait for a full queue. Read ahead so that Ctrl-C is noticed behind a paste. */
const MAX_HELD_LENGTH = 64 * 1024;
/** Characters of one line: each drawing takes time in proportion. */
const MAX_LINE_LENGTH = 128 * 1024;
/** Printed lines not yet drawn. */
const MAX_PRINTED_LINES = 1000;
/** How long a printed line may wait for that, in milliseconds. */
const MAX_PRINT_DELAY = 250;
/** How long the rest of an escape sequence may take, in milliseconds. */
const ESCAPE_DELAY = 30;
const WINDOWS = Deno.build.os === "windows";
/** Signals that end a process, and would leave the terminal raw. */
const END_SIGNALS: Deno.Signal[] = WINDOWS ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
/** What tells that a process ends: that it is left, or an error that nobody caught. */
const END_EVENTS = ["unload", "error", "unhandledrejection"];

/** What {@linkcode Terminal} can be told. */
export interface TerminalOptions {
  /**
   * What stands before the line being typed. May carry colour codes, but no line break.
   *
   * @default "> "
   */
  prompt?: string;
  /**
   * How many lines the up and down keys bring back.
   *
   * @default 500
   */
  historySize?: number;
  /** Called at Ctrl-C on an empty line, instead of ending the iteration. */
  onInterrupt?: () => void;
  /**
   * Called at Tab with what is typed before the cursor in its line; undefined when there is nothing
   * to do. A Tab with something behind it that came at the same time is part of a paste, and is taken
   * as text, also where the terminal does not tell.
   *
   * @default Tab is taken as text
   */
  complete?: (before: string) => Completion | undefined;
}

/**
 * A terminal with one line at its foot that is being edited, and output above it.
 *
 * - **Lines** come out in the order in which they were typed, each once. With 1024 lines not yet
 *   taken the rest waits; only Ctrl-C drops what waits.
 * - **Pastes** are text to be edited, whatever is in them: their line breaks are shown as `↵` until
 *   Enter gives out each line, but for one at their end, which is left out, as control characters
 *   are. Terminals that do not tell a paste from typing (DECSET 2004) give out its lines at once.
 * - **Closing** is {@linkcode close}, Ctrl-D on an empty line, or the end of the terminal. Lines
 *   typed before are still given out, then the iteration ends. `break` does not close.
 * - **Ctrl-C** clears the line; on an empty line it calls `onInterrupt`, or closes. No `SIGINT`
 *   comes from the keyboard while the terminal is open, and Ctrl-Z does nothing.
 * - **Modes**: the terminal is raw while this is open, and as before afterwards: also when the
 *   process exits or throws without `close()`, and after `SIGINT`, `SIGTERM` and `SIGHUP`, each of
 *   which closes. Ending the process is then up to the program; a second signal does it.
 *
 * A line or paste above 131072 characters is not taken, which is said on the screen. No permission is needed.
 * There can be one per process, since closing also closes standard input.
 */
export class Terminal implements AsyncIterable<string>, Disposable {
  readonly #screen = new Screen();
  readonly #editor: LineEditor;
  readonly #close = () => this.close();
  readonly #input: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onInterrupt: () => void;
  readonly #complete: TerminalOptions["complete"];
  readonly #lines: string[] = [];
  /** `skipping` up to the end of a line that is too long, `dropping` up to that of a paste. */
  #state: "open" | "skipping" | "pasting" | "dropping" | "closed" = "open";
  #change = Promise.withResolvers<void>();
  #held = "";
  #heldTimer: Timer | undefined;
  #printed: string[] = [];
  #printTimer: Timer | undefined;
  #nextPrint = 0;

  /**
   * Takes over the terminal and shows the prompt.
   *
   * @throws {Error} if standard input or output is not a terminal.
   */
  constructor(options: TerminalOptions = {}) {
    const { prompt = "> ", historySize = 500, onInterrupt = this.#close } = options;
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
      throw new Error("Cannot open terminal: standard input or output is not a terminal");
    }
    this.#onInterrupt = onInterrupt;
    this.#complete = options.complete;
    this.#editor = new LineEditor({
      screen: this.#screen,
      prompt,
      historySize,
      onLine: (line) => this.#onLine(line),
      onInterrupt,
      onClose: this.#close,
    });
    for (const signal of END_SIGNALS) Deno.addSignalListener(signal, this.#close);
    for (const event of END_EVENTS) addEventListener(event, this.#close);
    if (!WINDOWS) Deno.addSignalListener("SIGWINCH", this.#onResize);
    Deno.stdin.setRaw(true);
    this.#input = Deno.stdin.readable.getReader();
    this.#screen.draw(() => {
      this.#screen.write(MARKS_ON);
      this.#editor.redraw();
    });
    this.#read();
  }

  /** The lines typed, one per Enter. Several iterations share them: each line goes to one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    while (true) {
      for (let line; (line = this.#lines.shift()) !== undefined;) {
        if (this.#held !== "" && this.#heldTimer === undefined) this.#feed();
        this.#notify();
        yield line;
      }
      if (this.#state === "closed") return;
      await this.#change.promise;
    }
  }

  /**
   * Prints above the line being typed, which is drawn again with its cursor. The text goes out as it
   * is: pass what a peer sent through `printable` first. Works after closing, too.
   */
  print(line: string): void {
    this.#printed.push(line);
    const delay = this.#nextPrint - performance.now();
    if (delay <= 0 || this.#state === "closed" || this.#printed.length >= MAX_PRINTED_LINES) {
      this.#flush();
    } else {
      this.#printTimer ??= setTimeout(() => this.#flush(), delay);
    }
  }

  /** Changes what stands before the line being typed, and leaves that line alone. */
  setPrompt(prompt: string): void {
    if (this.#state === "closed" || prompt === this.#editor.prompt) return;
    this.#editor.prompt = prompt;
    // The prompt must not tell what the lines that wait have not told yet.
    if (this.#printed.length > 0) this.#flush();
    else this.#screen.draw(() => this.#editor.redraw());
  }

  /** Ends the iteration and puts the terminal back. A half-typed line stays on the screen. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#held = "";
    clearTimeout(this.#heldTimer);
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, this.#close);
    for (const event of END_EVENTS) removeEventListener(event, this.#close);
    if (!WINDOWS) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#screen.draw(() => {
      this.#editor.leave();
      this.#screen.write(MARKS_OFF);
    });
    this.#flush();
    this.#editor.close();
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // The terminal hung up: there is nothing left to put back.
    }
    this.#input.cancel().catch(() => {}); // fails for the same reason only
    this.#notify();
  }

  /** Same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    while (this.#state !== "closed") {
      // A read fails when the terminal hangs up: no line can follow, which is what its end means.
      const { value } = await this.#input.read().catch(() => ({ value: undefined }));
      if (value === undefined) break;
      this.#receive(decoder.decode(value, { stream: true }));
      while (this.#held.length > MAX_HELD_LENGTH) await this.#change.promise;
    }
    this.close();
  }

  #receive(text: string): void {
    if (this.#state === "closed") return;
    this.#held += text;
    this.#feed();
    const interrupt = endOfInterrupt(this.#held, this.#isInPaste);
    if (interrupt >= 0) {
      this.#held = this.#held.slice(interrupt); // as in the kernel: it overtakes what waits
      this.#state = "open";
      this.#onInterrupt();
    }
  }

  /** Gives what is held to the editor until the queue is full or the rest of a key is missing. */
  #feed(last = false): void {
    clearTimeout(this.#heldTimer);
    this.#heldTimer = undefined;
    this.#screen.draw(() => {
      while (this.#held !== "" && this.#lines.length < MAX_LINES) {
        if (this.#isInPaste) {
          if (this.#takePaste()) continue;
          return;
        }
        const piece = firstPiece(this.#held);
        if (!last && piece === this.#held && mayGoOn(piece)) {
          this.#heldTimer = setTimeout(() => this.#feed(true), ESCAPE_DELAY);
          return;
        }
        this.#held = this.#held.slice(piece.length);
        this.#take(piece);
      }
    });
  }

  get #isInPaste(): boolean {
    return this.#state === "pasting" || this.#state === "dropping";
  }

  /** Takes what has come of a paste; whether that was its end. */
  #takePaste(): boolean {
    const { text, rest, isLast } = takePaste(this.#held);
    this.#held = rest;
    if (this.#state === "pasting" && text !== "") this.#insert(text, "dropping");
    if (isLast) this.#state = "open";
    return isLast;
  }

  #insert(text: string, otherwise: "skipping" | "dropping"): void {
    if (this.#editor.text.length + text.length <= MAX_LINE_LENGTH) {
      this.#editor.insert(text);
      return;
    }
    this.#state = otherwise;
    this.#editor.clear();
    this.print(`Cannot take line: limit is ${MAX_LINE_LENGTH} characters`);
  }

  #take(piece: string): void {
    const editor = this.#editor;
    if (piece === PASTE_START) {
      this.#state = this.#state === "skipping" ? "dropping" : "pasting";
    } else if (this.#state === "skipping") {
      if (endsLine(piece)) this.#state = "open";
    } else if (isText(piece)) {
      this.#insert(piece, "skipping");
    } else if (piece === "\t" && this.#held === "" && this.#complete !== undefined) {
      this.#completeWord(this.#complete(editor.before.split(BREAK).at(-1)!));
    } else if (isKey(piece)) {
      editor.press(piece);
    }
  }

  /** Not by the completer of node:readline, which minds case and shows candidates below the line. */
  #completeWord(completion: Completion | undefined): void {
    if (completion === undefined) return;
    const { length, text, candidates } = completion;
    if (candidates.length > 0) this.print(candidates.join("  "));
    const { before } = this.#editor;
    if (text === before.slice(before.length - length)) return;
    if (this.#editor.text.length + text.length > MAX_LINE_LENGTH) return;
    this.#editor.replace(length, text);
  }

  readonly #onResize = (): void => this.#screen.draw(() => this.#editor.resize());

  #onLine(text: string): void {
    for (const line of text.split(BREAK)) this.#lines.push(line);
    this.#notify();
  }

  /** Draws what was printed. A slow screen is drawn less often, a fifth of the time at most. */
  #flush(): void {
    clearTimeout(this.#printTimer);
    this.#printTimer = undefined;
    if (this.#printed.length === 0) return;
    const lines = this.#printed.map((line) => line.replaceAll(/\r?\n/g, "\r\n") + "\r\n");
    this.#printed = [];
    const start = performance.now();
    this.#screen.draw(() => {
      const open = this.#state !== "closed";
      if (open) this.#editor.erase();
      this.#screen.write(lines.join(""));
      if (open) this.#editor.redraw();
    });
    const now = performance.now();
    this.#nextPrint = now + Math.min(4 * (now - start), MAX_PRINT_DELAY);
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

type Timer = ReturnType<typeof setTimeout>;
