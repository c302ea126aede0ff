import { Writable } from "node:stream";
import { writeTerminal } from "../shared/writing.ts";
import { BREAK, SHOWN_BREAK } from "./paste.ts";

/** Standard output in the form that node:readline needs. */
export class Screen extends Writable {
  #isMuted = false;

  constructor() {
    super({
      decodeStrings: false,
      writev(chunks, done) {
        const text = chunks.map(({ chunk }) => chunk).join("").replaceAll(BREAK, SHOWN_BREAK);
        try {
          writeTerminal(Deno.stdout, new TextEncoder().encode(text));
        } catch {
          // The terminal has hung up, so nobody sees this. The end of the input follows and tells
          // the program.
        }
        done();
      },
    });
  }

  /** The width of the window. 80 if the terminal does not know it. */
  get columns(): number {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80; // the terminal hung up: no size is wrong now
    }
  }

  /** Runs `draw` and shows nothing of what it writes. */
  mute(draw: () => void): void {
    this.#isMuted = true;
    try {
      draw();
    } finally {
      this.#isMuted = false;
    }
  }

  // deno-lint-ignore no-explicit-any -- as in the class that it extends
  override write(chunk: any, ...rest: any[]): boolean {
    return this.#isMuted || super.write(chunk, ...rest);
  }

  /** Runs `draw` and shows everything that it wrote at once, so the screen does not flicker. */
  draw(draw: () => void): void {
    this.cork();
    try {
      draw();
    } finally {
      this.uncork();
    }
  }
}
