import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from "node:readline";
import { PassThrough } from "node:stream";
import { isEnter } from "./keys.ts";
import { Ruler } from "./ruler.ts";
import type { Screen } from "./screen.ts";

/** The prompt before the line. It may have colour codes, and fit itself to the width of the window. */
export type Prompt = string | ((columns: number) => string);

/** Options of a {@linkcode LineEditor}. */
export interface LineEditorOptions {
  screen: Screen;
  prompt: Prompt;
  /** How many lines the up and down keys bring back. */
  historySize: number;
  onLine: (line: string) => void;
  /** Called at Ctrl-C on an empty line. */
  onInterrupt: () => void;
  /** Called at Ctrl-D on an empty line. */
  onClose: () => void;
}

/**
 * The line being typed. node:readline handles the keys. This class handles what is where on the
 * screen.
 */
export class LineEditor {
  /** Whether a line stays on the screen after Enter. */
  keepsTyped = true;
  #prompt: Prompt;
  readonly #screen: Screen;
  readonly #keys = new PassThrough();
  readonly #editor: Editor;

  constructor({ screen, prompt, historySize, onLine, onInterrupt, onClose }: LineEditorOptions) {
    this.#screen = screen;
    this.#prompt = prompt;
    this.#editor = createInterface({
      input: this.#keys,
      output: screen,
      terminal: true,
      prompt: shownPrompt(prompt, screen),
      historySize,
    }) as Editor;
    this.#editor.prevRows = 0;
    useRuler(this.#editor, screen);
    this.#editor.on("line", (line) => {
      onLine(line);
      this.#editor.prompt();
    });
    this.#editor.on("SIGINT", () => this.text === "" ? onInterrupt() : this.clear());
    // Without this, node:readline would stop the process, and it cannot resume a terminal like this
    // one.
    this.#editor.on("SIGTSTP", () => {});
    this.#editor.on("close", onClose);
  }

  /** The text of the line. */
  get text(): string {
    return this.#editor.line;
  }

  /** The text before the cursor. */
  get before(): string {
    return this.#editor.line.slice(0, this.#editor.cursor);
  }

  /** Sets the prompt. Call it while the line is not shown, or before `redraw()`. */
  setPrompt(prompt: Prompt): void {
    this.#prompt = prompt;
    this.#editor.setPrompt(shownPrompt(prompt, this.#screen));
  }

  /** Inserts text at the cursor. Tabs are the only control characters that it may have. */
  insert(text: string): void {
    this.#editor.write(text);
    this.#countRows();
  }

  /** Handles a key, given as the terminal sent it. */
  press(key: string): void {
    if (this.keepsTyped || !isEnter(key)) {
      this.#keys.emit("data", key);
      return this.#countRows();
    }
    this.erase();
    this.#screen.mute(() => this.#keys.emit("data", key));
    this.redraw();
  }

  /** Replaces `length` characters (UTF-16 code units) before the cursor with text. */
  replace(length: number, text: string): void {
    for (const _ of this.before.slice(this.before.length - length)) {
      this.#editor.write(null, { name: "backspace" });
    }
    this.insert(text);
  }

  /** Removes all text of the line. */
  clear(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
  }

  /** Removes the line from the screen. Its text stays. */
  erase(): void {
    moveCursor(this.#screen, 0, -this.#editor.prevRows);
    cursorTo(this.#screen, 0);
    clearScreenDown(this.#screen);
    this.#editor.prevRows = 0;
  }

  /** Draws the line with its cursor, in the place where it was. */
  redraw(): void {
    this.#editor.prompt(true);
  }

  /**
   * Draws the line for the new width of the window. The terminal has fitted the old drawing to it
   * already.
   */
  resize(): void {
    this.#countRows();
    this.#editor.setPrompt(shownPrompt(this.#prompt, this.#screen));
    this.#screen.emit("resize");
  }

  /** Leaves the line on the screen and goes below it. If nothing is typed, removes the line. */
  leave(): void {
    if (this.text === "") return this.erase();
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#screen.write("\r\n");
  }

  /** Ends the editor. */
  close(): void {
    this.#editor.close();
  }

  /**
   * Counts the rows of the line. node:readline counts them only when it draws the whole line, and
   * it does not do that for text at the end.
   */
  #countRows(): void {
    this.#editor.prevRows = this.#editor.getCursorPos().rows;
  }
}

function shownPrompt(prompt: Prompt, screen: Screen): string {
  return typeof prompt === "string" ? prompt : prompt(screen.columns);
}

/**
 * A field that node:readline has and its types do not have: the rows between the prompt and the
 * cursor.
 */
type Editor = Interface & { prevRows: number };

/**
 * Makes node:readline measure text with a {@linkcode Ruler}. Its own way gives columns to the
 * combining marks of many scripts. It also measures the whole line at each key, which takes long
 * for a long line.
 */
function useRuler(editor: Editor, screen: Screen): void {
  for (let owner = Object.getPrototypeOf(editor); owner; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner)
      .find(({ description }) => description === "_getDisplayPos");
    if (key === undefined) continue;
    const ruler = new Ruler();
    const value = (text: string) => ruler.measure(text, screen.columns);
    Object.defineProperty(editor, key, { value });
    return;
  }
}
