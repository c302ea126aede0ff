/**
 * The keyboard and the screen of the client's talk mode: a line that can be edited while messages
 * are printed above it.
 *
 * @module
 */

import type { Completion } from "./completion.ts";
import { endsLine, firstPiece, isKey, isText, mayGoOn } from "./keys.ts";
import { LineEditor, type Prompt } from "./line_editor.ts";
import type { Layout } from "./margin.ts";
import { BREAK, endOfInterrupt, MARKS_OFF, MARKS_ON, PASTE_START, takePaste } from "./paste.ts";
import type { TerminalOptions } from "./options.ts";
import { PrintQueue } from "./print_queue.ts";
import { Screen } from "./screen.ts";
import { SUSPEND, Suspension } from "./suspension.ts";

/** How many lines may wait to be taken. If there are more, keys wait. */
const MAX_LINES = 1024;
/**
 * How many characters may wait for a full queue. They are read ahead, so Ctrl-C is noticed after a
 * paste.
 */
const MAX_HELD_LENGTH = 64 * 1024;
/** How many characters a line may have. The time of a drawing grows with them. */
const MAX_LINE_LENGTH = 128 * 1024;
/** How long to wait for the rest of an escape sequence, in milliseconds. */
const ESCAPE_DELAY = 30;
const WINDOWS = Deno.build.os === "windows";
/** Signals that end a process. Without a handler they would leave the terminal in raw mode. */
const END_SIGNALS: Deno.Signal[] = WINDOWS ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
/** Events at the end of a process: it exits, or nobody caught an error. */
const END_EVENTS = ["unload", "error", "unhandledrejection"];

/**
 * A terminal with an editable line at the bottom, and output above it.
 *
 * - **Lines** come out once each, in the order in which they were typed. If 1024 lines wait to be
 *   taken, further input waits too. Only Ctrl-C drops what waits.
 * - **Pastes** are text to be edited. Their line breaks are shown as `↵` until Enter gives out each
 *   line. A line break at the end of a paste is left out, and so are control characters. Some
 *   terminals do not mark pastes (DECSET 2004). Then the lines of a paste are given out at once.
 * - **Closing** is {@linkcode close}, Ctrl-D on an empty line, or the end of the terminal. Lines
 *   typed before are still given out, then the iteration ends. `break` does not close.
 * - **Ctrl-C** clears the line; on an empty line it calls `onInterrupt`, or closes. No `SIGINT`
 *   comes from the keyboard while the terminal is open.
 * - **Ctrl-Z** stops the process, with the terminal as it was before. When it goes on, by `fg` of a
 *   shell, the line being typed is there again, below what was printed meanwhile.
 * - **Modes**: the terminal is in raw mode while this is open. Afterwards its old mode is back,
 *   also when the process exits or throws without `close()`, and after `SIGINT`, `SIGTERM` and
 *   `SIGHUP`. Each of these signals closes the terminal. The program must then end the process. A
 *   second signal ends it.
 *
 * A line or paste of more than 131072 characters is not taken, and the screen says so. No
 * permission is needed. A process can have only one terminal, because closing it also closes
 * standard input.
 */
export class Terminal implements AsyncIterable<string>, Disposable {
  readonly #screen = new Screen();
  readonly #editor: LineEditor;
  readonly #close = () => this.close();
  readonly #input: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onInterrupt: () => void;
  readonly #complete: TerminalOptions["complete"];
  readonly #lines: string[] = [];
  /**
   * `skipping` until the end of a line that is too long, `dropping` until the end of a paste that
   * is too long.
   */
  #state: "open" | "skipping" | "pasting" | "dropping" | "closed" = "open";
  #change = Promise.withResolvers<void>();
  #held = "";
  #heldTimer: Timer | undefined;
  readonly #suspension = new Suspension();
  readonly #printed = new PrintQueue({
    draw: (lines) => this.#drawPrinted(lines),
    isHeld: () => this.#suspension.active,
  });

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

  /**
   * The lines that are typed, one for each Enter. If there are several iterations, each line goes
   * to one of them.
   */
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
   * Prints above the line being typed, and draws this line again with its cursor. The text is
   * printed as it is, so pass a peer's text through `printable` first. A layout is asked for it when
   * the width of the window is known. It also works after closing.
   */
  print(line: string | Layout): void {
    this.#printed.add(line, this.#state === "closed");
  }

  /** Changes the prompt, and does not change the line being typed. */
  setPrompt(prompt: Prompt): void {
    if (this.#state === "closed") return;
    this.#editor.setPrompt(prompt);
    // The prompt must not show a change before the waiting lines that tell of it.
    if (this.#printed.waits) this.#printed.flush();
    else if (!this.#suspension.active) this.#screen.draw(() => this.#editor.redraw());
  }

  /** Whether a line stays on the screen after Enter, as it does at first. */
  set keepsTyped(keeps: boolean) {
    this.#editor.keepsTyped = keeps;
  }

  /**
   * Ends the iteration and restores the mode of the terminal. A half-typed line stays on the
   * screen.
   */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#held = "";
    clearTimeout(this.#heldTimer);
    this.#suspension.clear();
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, this.#close);
    for (const event of END_EVENTS) removeEventListener(event, this.#close);
    if (!WINDOWS) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#screen.draw(() => {
      this.#editor.leave();
      this.#screen.write(MARKS_OFF);
    });
    this.#printed.flush();
    this.#editor.close();
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // The terminal has hung up, so there is nothing to restore.
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
      // A read fails when the terminal hangs up. No line can follow, so this is the end of the
      // input.
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

  /**
   * Gives the held characters to the editor until the queue is full, or until the rest of a key is
   * missing.
   */
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

  /** Takes what has come of a paste. Returns whether that was its end. */
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
    } else if (piece === SUSPEND) {
      queueMicrotask(() => this.#suspend()); // Not before what is drawn now is on the screen.
    } else if (isText(piece)) {
      this.#insert(piece, "skipping");
    } else if (piece === "\t" && this.#held === "" && this.#complete !== undefined) {
      this.#completeWord(this.#complete(editor.before.split(BREAK).at(-1)!));
    } else if (isKey(piece)) {
      editor.press(piece);
    }
  }

  /**
   * Completes a word. The completer of node:readline is not used, because it is case-sensitive and
   * shows candidates below the line.
   */
  #completeWord(completion: Completion | undefined): void {
    if (completion === undefined) return;
    const { length, text, candidates } = completion;
    if (candidates.length > 0) this.print(candidates.join("  "));
    const { before } = this.#editor;
    if (text === before.slice(before.length - length)) return;
    if (this.#editor.text.length + text.length > MAX_LINE_LENGTH) return;
    this.#editor.replace(length, text);
  }

  #suspend(): void {
    if (WINDOWS || this.#state === "closed" || this.#suspension.active) return;
    this.#screen.draw(() => {
      this.#editor.erase();
      this.#screen.write(MARKS_OFF);
    });
    Deno.stdin.setRaw(false);
    this.#suspension.begin(() => this.#resume());
  }

  #resume(): void {
    Deno.stdin.setRaw(true);
    this.#screen.draw(() => {
      this.#screen.write(MARKS_ON);
      this.#editor.redraw();
    });
    this.#printed.flush();
  }

  readonly #onResize = (): void => {
    if (!this.#suspension.active) this.#screen.draw(() => this.#editor.resize());
  };

  #onLine(text: string): void {
    for (const line of text.split(BREAK)) this.#lines.push(line);
    this.#notify();
  }

  #drawPrinted(printed: readonly (string | Layout)[]): void {
    const { columns } = this.#screen;
    const lines = printed
      .map((line) => typeof line === "string" ? line : line(columns))
      .map((line) => line.replaceAll(/\r?\n/g, "\r\n") + "\r\n");
    this.#screen.draw(() => {
      const open = this.#state !== "closed";
      if (open) this.#editor.erase();
      this.#screen.write(lines.join(""));
      if (open) this.#editor.redraw();
    });
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

type Timer = ReturnType<typeof setTimeout>;
