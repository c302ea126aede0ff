import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from "node:readline";
import { PassThrough } from "node:stream";
import { type Position, Ruler } from "./ruler.ts";
import type { Screen } from "./screen.ts";

/** What a {@linkcode LineEditor} is made of, and whom it tells. */
export interface LineEditorOptions {
  screen: Screen;
  /** What stands before the line. May carry colour codes. */
  prompt: string;
  /** How many lines the up and down keys bring back. */
  historySize: number;
  onLine: (line: string) => void;
  /** Called at Ctrl-C on an empty line. */
  onInterrupt: () => void;
  /** Called at Ctrl-D on an empty line. */
  onClose: () => void;
}

/** The line being typed: node:readline knows the keys, this what is where on the screen. */
export class LineEditor {
  readonly #screen: Screen;
  readonly #keys = new PassThrough();
  readonly #editor: Editor;

  constructor({ screen, prompt, historySize, onLine, onInterrupt, onClose }: LineEditorOptions) {
    this.#screen = screen;
    this.#editor = createInterface({
      input: this.#keys,
      output: screen,
      terminal: true,
      prompt,
      historySize,
    }) as Editor;
    this.#editor.prevRows = 0;
    useRuler(this.#editor, screen);
    this.#editor.on("line", (line) => {
      onLine(line);
      this.#editor.prompt();
    });
    this.#editor.on("SIGINT", () => this.text === "" ? onInterrupt() : this.clear());
    // Left to itself, node:readline stops the process and cannot resume a terminal like this one.
    this.#editor.on("SIGTSTP", () => {});
    this.#editor.on("close", onClose);
  }

  /** What is typed. */
  get text(): string {
    return this.#editor.line;
  }

  /** What is typed before the cursor. */
  get before(): string {
    return this.#editor.line.slice(0, this.#editor.cursor);
  }

  /** What stands before the line. To be set while the line is not shown, or before `redraw()`. */
  get prompt(): string {
    return this.#editor.getPrompt();
  }

  set prompt(prompt: string) {
    this.#editor.setPrompt(prompt);
  }

  /** Inserts text, in which tabs are the only control characters, at the cursor. */
  insert(text: string): void {
    this.#editor.write(text);
    this.#countRows();
  }

  /** Does what a key means, given as the terminal sent it. */
  press(key: string): void {
    this.#keys.emit("data", key);
    this.#countRows();
  }

  /** Puts text in the place of so many characters (UTF-16 units) before the cursor. */
  replace(length: number, text: string): void {
    for (const _ of this.before.slice(this.before.length - length)) {
      this.#editor.write(null, { name: "backspace" });
    }
    this.insert(text);
  }

  /** Takes back all that is typed. */
  clear(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
  }

  /** Takes the line off the screen; it stays as it is. */
  erase(): void {
    moveCursor(this.#screen, 0, -this.#editor.prevRows);
    cursorTo(this.#screen, 0);
    clearScreenDown(this.#screen);
    this.#editor.prevRows = 0;
  }

  /** Draws the line with its cursor, over itself or where it was erased. */
  redraw(): void {
    this.#editor.prompt(true);
  }

  /** Draws the line for the window's new width, to which the terminal has fitted it already. */
  resize(): void {
    this.#countRows();
    this.#screen.emit("resize");
  }

  /** Leaves the line on the screen and goes below it, or takes it off if nothing is typed. */
  leave(): void {
    if (this.text === "") return this.erase();
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#screen.write("\r\n");
  }

  /** Ends. */
  close(): void {
    this.#editor.close();
  }

  /** node:readline learns its rows only from a full drawing, and text at the end does none. */
  #countRows(): void {
    this.#editor.prevRows = this.#editor.getCursorPos().rows;
  }
}

/** What node:readline has and its types do not: the rows between the prompt and the cursor. */
type Editor = Interface & { prevRows: number };

/**
 * Makes node:readline measure with a {@linkcode Ruler}. On its own it gives columns to the marks of
 * many scripts, and measures the whole line at each key, which takes long for a long one.
 */
function useRuler(editor: Editor, screen: Screen): void {
  for (let owner = Object.getPrototypeOf(editor); owner; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner)
      .find(({ description }) => description === "_getDisplayPos");
    if (key === undefined) continue;
    const measure: (this: object, text: string) => Position = owner[key];
    const ruler = new Ruler((character) => measure.call({ columns: 80 }, character).cols);
    const value = (text: string) => ruler.measure(text, screen.columns);
    Object.defineProperty(editor, key, { value });
    return;
  }
}
