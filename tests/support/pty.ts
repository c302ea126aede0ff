/** Programs on a pseudo-terminal, with a small terminal emulator that shows what a person would see. */

import { assert } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { writeAll } from "../../internal/bytes.ts";

const ROOT = new URL("../../", import.meta.url);

const { path, reason } = await startTerminals();
const ignore = reason !== "" && (Deno.build.os === "windows" || !Deno.env.has("CI"));

/** A test that needs a pseudo-terminal: skipped where there is none, failed in CI. */
export function ptyTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test(ignore ? `${name} (skipped: ${reason})` : name, { ignore }, fn);
}

/**
 * Starts what makes pseudo-terminals, once for all tests of this worker: starting Python takes longer
 * than most of them. It ends when its standard input does, which is when this worker has gone.
 */
async function startTerminals(): Promise<{ path: string; reason: string }> {
  if (Deno.build.os === "windows") {
    return { path: "", reason: "Windows has no pseudo-terminals of this kind" };
  }
  try {
    const python = new Deno.Command("python3", {
      args: [new URL("./fixtures/pty.py", import.meta.url).pathname],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    python.unref();
    const lines = python.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value } = await lines.read();
    return value === undefined
      ? { path: "", reason: "python3 cannot make pseudo-terminals" }
      : { path: value, reason: "" };
  } catch {
    return { path: "", reason: "needs python3" };
  }
}

/** What Deno writes when it asks for a permission. */
const ASKS = /Deno requests|Allow\?/;

/** What a person does at the terminal. */
export interface Command {
  keys?: string;
  resize?: [columns: number, rows: number];
  signal?: number;
}

/** How to run a program at a terminal. */
export interface PtyOptions {
  /** Environment variables. */
  readonly env?: Record<string, string>;
  /** Flags for `deno run`; `--allow-net` by default. */
  readonly flags?: readonly string[];
  /** A script for a shell with job control, in which `"$@"` is the program; by default there is none. */
  readonly shell?: string;
}

/** A program on a pseudo-terminal. */
export class Pty implements AsyncDisposable {
  readonly screen: Screen;
  output = "";
  readonly #conn: Deno.UnixConn;
  #sent: Promise<void> = Promise.resolve();
  readonly #events: AsyncIterator<string>;
  readonly #deadline: ReturnType<typeof setTimeout>;
  readonly #decoder = new TextDecoder();
  #end: { exit: number; raw: boolean } | undefined;

  private constructor(columns: number, rows: number, conn: Deno.UnixConn) {
    this.#conn = conn;
    this.#events = conn.readable.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).values();
    this.#deadline = setTimeout(() => this.send({ signal: 9 }), 120_000);
    this.screen = new Screen(columns, rows);
  }

  /** Starts a program. */
  static async open(
    columns: number,
    rows: number,
    [script, ...args]: readonly string[],
    { env, flags = ["--allow-net"], shell }: PtyOptions = {},
  ): Promise<Pty> {
    const direct = [Deno.execPath(), "run", "--quiet", ...flags, script, ...args];
    const program = shell === undefined ? direct : ["bash", "-mc", shell, "bash", ...direct];
    const pty = new Pty(columns, rows, await Deno.connect({ transport: "unix", path }));
    pty.#tell({ columns, rows, program, env: { TERM: "xterm", NO_COLOR: "", ...env } });
    return pty;
  }

  send(command: Command): void {
    if (command.resize) this.screen.resize(command.resize[0]);
    this.#tell(command);
  }

  #tell(what: unknown): void {
    const line = new TextEncoder().encode(JSON.stringify(what) + "\n");
    // The end of the program is seen by who waits.
    this.#sent = this.#sent.then(() => writeAll(this.#conn, line)).catch(() => {});
  }

  /** Pastes as a terminal does: with marks if they were asked for, and a return for each newline. */
  paste(text: string): void {
    const keys = text.replaceAll("\n", "\r");
    this.send({ keys: this.screen.marksPastes ? `\x1b[200~${keys}\x1b[201~` : keys });
  }

  /** Waits for output until the screen is as wanted. */
  async until(wanted: (screen: Screen) => boolean): Promise<void> {
    while (!wanted(this.screen)) {
      assert(
        await this.#next(),
        `the program ended first; its screen: ${this.screen.text.slice(-500)}`,
      );
    }
  }

  /** Waits until these are the rows, from the first that was shown. */
  async shows(rows: string[]): Promise<void> {
    const text = rows.join("\n");
    await this.until((screen) => screen.text === text);
  }

  /** Waits until the program ends; says how, and whether its terminal is still raw. */
  async ended(): Promise<{ exit: number; raw: boolean }> {
    while (await this.#next());
    assert(this.#end);
    return this.#end;
  }

  async #next(): Promise<boolean> {
    const { value, done } = await this.#events.next();
    if (done) return false;
    const event = JSON.parse(value);
    if ("exit" in event) {
      this.#end = event;
      return false;
    }
    const bytes = Uint8Array.from(event.output as string, (byte) => byte.charCodeAt(0));
    const text = this.#decoder.decode(bytes, { stream: true });
    this.output += text;
    assert(!ASKS.test(text), `asks for a permission: ${text}`);
    this.screen.show(text);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#deadline);
    await this.#sent;
    await this.#conn.closeWrite().catch(() => {}); // The program has ended.
    while (!(await this.#events.next()).done); // Its end closes the connection.
    assert(!ASKS.test(this.output), `asked for a permission: ${this.output}`);
  }
}

/** As much of a terminal as node:readline uses: what is on the screen, and what scrolled away. */
export class Screen {
  column = 0;
  /** Whether marks around pastes are wanted. */
  marksPastes = false;
  /** How often the line was drawn from its beginning. */
  drawings = 0;
  #columns: number;
  readonly #height: number;
  readonly #cells: string[][] = [[]];
  /** The rows as texts, as long as they stay as they are: most of them do. */
  readonly #texts = new WeakMap<string[], string>();
  /** The rows that go on in the next one. */
  readonly #wrapped = new Set<string[]>();
  #row = 0;
  #rest = "";

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#height = rows;
  }

  get rows(): string[] {
    return this.#cells.map((cells) => this.#textOf(cells));
  }

  get text(): string {
    return this.rows.join("\n");
  }

  /** The row with the cursor. */
  get line(): string {
    return this.#textOf(this.#cells[this.#row]);
  }

  /** Breaks the rows anew, as most terminals do. The cursor has to be in the last one. */
  resize(columns: number): void {
    const rows = this.#cells.splice(0);
    const { column } = this;
    this.#columns = columns;
    this.column = this.#row = 0;
    this.#cells.push([]);
    for (const [i, row] of rows.entries()) {
      const last = i === rows.length - 1;
      for (const cell of last ? row.slice(0, column) : row) if (cell !== "") this.#put(cell ?? " ");
      if (!last && !this.#wrapped.has(row)) this.show("\r\n");
    }
  }

  show(text: string): void {
    const whole = this.#rest + text;
    // deno-lint-ignore no-control-regex
    this.#rest = /\x1b(?:\[[\d;?]*)?$/.exec(whole)?.[0] ?? "";
    const shown = whole.slice(0, whole.length - this.#rest.length);
    // deno-lint-ignore no-control-regex
    for (const [piece, count, command] of shown.matchAll(/\x1b\[([\d;?]*)([A-Za-z])|[^]/gu)) {
      if (command !== undefined) this.#obey(command, count);
      else if (piece === "\r") this.column = 0;
      else if (piece === "\n") this.#down();
      else if (piece === "\t") this.column += 8 - this.column % 8;
      else this.#put(piece);
    }
  }

  #obey(command: string, count: string): void {
    const n = Number(count) || 1;
    const top = Math.max(0, this.#cells.length - this.#height);
    if (command === "A") this.#row = Math.max(top, this.#row - n);
    else if (command === "B") this.#row = Math.min(this.#cells.length - 1, this.#row + n);
    else if (command === "C") this.column += n;
    else if (command === "D") this.column = Math.max(0, this.column - n);
    else if (command === "G") this.column = n - 1;
    else if (command === "J") this.#clearDown();
    else if (count === "?2004") this.marksPastes = command === "h";
    else assert(command === "m" || command === "K", `cannot obey ${command}`);
  }

  #clearDown(): void {
    this.drawings++;
    this.#wrapped.delete(this.#cells[this.#row]);
    this.#cells.length = this.#row + 1;
    const cells = this.#cells[this.#row];
    cells.length = Math.min(cells.length, this.column);
    this.#texts.delete(cells);
  }

  #put(character: string): void {
    const width = character.codePointAt(0)! >= 0x1100 && character !== "↵" ? 2 : 1;
    if (this.column + width > this.#columns) {
      this.#wrapped.add(this.#cells[this.#row]);
      this.column = 0;
      this.#down();
    }
    const cells = this.#cells[this.#row];
    cells[this.column++] = character;
    if (width === 2) cells[this.column++] = "";
    this.#texts.delete(cells);
  }

  #textOf(cells: string[]): string {
    const known = this.#texts.get(cells);
    if (known !== undefined) return known;
    const text = Array.from(cells, (cell) => cell ?? " ").join("").trimEnd();
    this.#texts.set(cells, text);
    return text;
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.#cells.length) this.#cells.push([]);
  }
}
