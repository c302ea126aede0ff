// deno-lint-ignore-file no-control-regex
/**
 * The keyboard and the screen of the client's talk mode: a line that can be edited while messages
 * are printed above it.
 *
 * @module
 */

import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from "node:readline";
import { PassThrough, Writable } from "node:stream";

/** Lines not yet taken; beyond it keys wait. */
const maxLines = 1024;
/** Characters that wait for a full queue. Read ahead so that Ctrl-C is noticed behind a paste. */
const maxHeldLength = 64 * 1024;
/** Characters of one line: each drawing takes time in proportion. */
const maxLineLength = 128 * 1024;
/** Printed lines not yet drawn. */
const maxPrintedLines = 1000;
/** How long a printed line may wait for that, in milliseconds. */
const maxPrintDelay = 250;
/** How long the rest of an escape sequence may take, in milliseconds. */
const escapeDelay = 30;
const windows = Deno.build.os === "windows";
/** Signals that end a process, and would leave the terminal raw. */
const endSignals: Deno.Signal[] = windows ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** What {@linkcode Terminal} can be told. */
export interface TerminalOptions {
  /**
   * What stands before the line being typed. May carry colour codes.
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
}

/**
 * A terminal with one line at its foot that is being edited, and output above it.
 *
 * - **Lines** come out in the order in which they were typed, each once, also when several are
 *   pasted at once. With 1024 lines not yet taken the rest waits; only Ctrl-C drops what waits.
 * - **Closing** is {@linkcode close}, Ctrl-D on an empty line, or the end of the terminal. Lines
 *   typed before are still given out, then the iteration ends. `break` does not close.
 * - **Ctrl-C** clears the line; on an empty line it calls `onInterrupt`, or closes. No `SIGINT`
 *   comes from the keyboard while the terminal is open, and Ctrl-Z does nothing.
 * - **Modes**: the terminal is raw while this is open, and as before afterwards: also when the
 *   process exits or throws without `close()`, and after `SIGINT`, `SIGTERM` and `SIGHUP`, each of
 *   which closes. Ending the process is then up to the program; a second signal does it.
 *
 * A line above 131072 characters is not taken, which is said on the screen. No permission is needed.
 * There can be one per process, since closing also closes standard input.
 */
export class Terminal implements AsyncIterable<string>, Disposable {
  readonly #editor: Editor;
  readonly #keys = new PassThrough();
  readonly #screen = new Screen();
  readonly #close = () => this.close();
  readonly #input: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onInterrupt: () => void;
  readonly #lines: string[] = [];
  #state: "open" | "skipping" | "closed" = "open";
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
    this.#editor = createInterface({
      input: this.#keys,
      output: this.#screen,
      terminal: true,
      prompt,
      historySize,
    }) as Editor;
    this.#editor.prevRows = 0;
    this.#editor.on("line", (line) => this.#onLine(line));
    this.#editor.on("close", this.#close);
    this.#editor.on("SIGINT", () => this.#editor.line ? this.#clearLine() : this.#onInterrupt());
    // Left to itself, node:readline stops the process and cannot resume a terminal like this one.
    this.#editor.on("SIGTSTP", () => {});
    for (const signal of endSignals) Deno.addSignalListener(signal, this.#close);
    if (!windows) Deno.addSignalListener("SIGWINCH", this.#onResize);
    Deno.stdin.setRaw(true);
    this.#input = Deno.stdin.readable.getReader();
    this.#draw(() => this.#editor.prompt());
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
    if (delay <= 0 || this.#state === "closed" || this.#printed.length >= maxPrintedLines) {
      this.#flush();
    } else {
      this.#printTimer ??= setTimeout(() => this.#flush(), delay);
    }
  }

  /** Changes what stands before the line being typed, and leaves that line alone. */
  setPrompt(prompt: string): void {
    if (this.#state === "closed" || prompt === this.#editor.getPrompt()) return;
    this.#editor.setPrompt(prompt);
    this.#draw(() => this.#editor.prompt(true));
  }

  /** Ends the iteration and puts the terminal back. A half-typed line stays on the screen. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#held = "";
    clearTimeout(this.#heldTimer);
    for (const signal of endSignals) Deno.removeSignalListener(signal, this.#close);
    if (!windows) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#draw(() => {
      if (this.#editor.line === "") return this.#erase();
      this.#editor.write(null, { ctrl: true, name: "e" });
      this.#screen.write("\r\n");
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
      while (this.#held.length > maxHeldLength) await this.#change.promise;
    }
    this.close();
  }

  #receive(text: string): void {
    if (this.#state === "closed") return;
    this.#held += text;
    this.#feed();
    if (this.#held.includes("\x03")) {
      this.#held = ""; // as in the kernel: an interrupt overtakes what waits
      this.#onInterrupt();
    }
  }

  /** Gives what is held to the editor until the queue is full or the rest of a key is missing. */
  #feed(last = false): void {
    clearTimeout(this.#heldTimer);
    this.#heldTimer = undefined;
    this.#draw(() => {
      while (this.#held !== "" && this.#lines.length < maxLines) {
        const piece = pieces.exec(this.#held)![0];
        if (!last && piece === this.#held && piece.startsWith("\x1b") && !key.test(piece)) {
          this.#heldTimer = setTimeout(() => this.#feed(true), escapeDelay);
          return;
        }
        this.#held = this.#held.slice(piece.length);
        this.#take(piece);
      }
    });
  }

  #take(piece: string): void {
    const editor = this.#editor;
    if (this.#state === "skipping") {
      if (endOfLine.test(piece)) this.#state = "open";
    } else if (text.test(piece) && editor.line.length + piece.length > maxLineLength) {
      this.#state = "skipping";
      this.#clearLine();
      this.print(`Cannot take line: limit is ${maxLineLength} characters`);
    } else if (text.test(piece)) {
      editor.write(piece);
    } else if (key.test(piece)) {
      this.#keys.emit("data", piece);
    }
    // node:readline learns its rows only from a full drawing, and text at the end does none.
    editor.prevRows = editor.getCursorPos().rows;
  }

  readonly #onResize = (): void => {
    this.#draw(() => {
      this.#editor.prevRows = this.#editor.getCursorPos().rows;
      this.#screen.emit("resize");
    });
  };

  #onLine(line: string): void {
    this.#lines.push(line);
    this.#editor.prompt();
    this.#notify();
  }

  #clearLine(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
  }

  /** Draws what was printed. A slow screen is drawn less often, a fifth of the time at most. */
  #flush(): void {
    clearTimeout(this.#printTimer);
    this.#printTimer = undefined;
    if (this.#printed.length === 0) return;
    const lines = this.#printed.map((line) => line.replaceAll(/\r?\n/g, "\r\n") + "\r\n");
    this.#printed = [];
    const start = performance.now();
    this.#draw(() => {
      const open = this.#state !== "closed";
      if (open) this.#erase();
      this.#screen.write(lines.join(""));
      if (open) this.#editor.prompt(true);
    });
    const now = performance.now();
    this.#nextPrint = now + Math.min(4 * (now - start), maxPrintDelay);
  }

  #erase(): void {
    moveCursor(this.#screen, 0, -this.#editor.prevRows);
    cursorTo(this.#screen, 0);
    clearScreenDown(this.#screen);
    this.#editor.prevRows = 0;
  }

  /** Runs `draw` and sends all that it wrote to the screen at once, which does not flicker. */
  #draw(draw: () => void): void {
    this.#screen.cork();
    try {
      draw();
    } finally {
      this.#screen.uncork();
    }
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

type Timer = ReturnType<typeof setTimeout>;

/** What node:readline has and its types do not: the rows between the prompt and the cursor. */
type Editor = Interface & { prevRows: number };

/** Standard output as node:readline wants it, all that is written while corked in one go. */
class Screen extends Writable {
  constructor() {
    super({
      decodeStrings: false,
      writev(chunks, done) {
        let bytes = new TextEncoder().encode(chunks.map(({ chunk }) => chunk).join(""));
        try {
          while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
        } catch {
          // The terminal hung up: nobody sees this, and the end of the input, which follows, tells.
        }
        done();
      },
    });
  }

  get columns(): number {
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 80; // the terminal hung up: no size is wrong now
    }
  }
}

/** An escape sequence, a run of text, or one control character. */
const pieces =
  /^(?:\x1b\x1b?(?:\[\[?[0-?]*[ -/]*[@-~]?|O\d?[A-Za-z]?|[^\x00-\x1f])?|[^\x00-\x1f\x7f-\x9f\u2028\u2029]+|\r\n|[^])/u;

/** The keys that node:readline knows; it would take the tail of any other sequence for text. */
const key =
  /^(?:\x1b\x1b?(?:\[\[?(?:\d\d?(?:;\d)?[~^$]|(?:\d;)?\d?[A-Za-z])|O\d?[A-Za-z]|[^\x00-\x1f[O])|[\x00-\x1a\x1e\x1f\x7f\u2028\u2029]|\r\n)$/u;

const text = /^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$/;
const endOfLine = /^[\x03\r\n]/;
