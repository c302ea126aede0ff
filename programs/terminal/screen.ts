import { Writable } from "node:stream";
import { writeAllSync } from "../../internal/bytes.ts";
import { BREAK, SHOWN_BREAK } from "./paste.ts";

/** Standard output as node:readline wants it. */
export class Screen extends Writable {
  constructor() {
    super({
      decodeStrings: false,
      writev(chunks, done) {
        const text = chunks.map(({ chunk }) => chunk).join("").replaceAll(BREAK, SHOWN_BREAK);
        try {
          writeAllSync(Deno.stdout, new TextEncoder().encode(text));
        } catch {
          // The terminal hung up: nobody sees this, and the end of the input, which follows, tells.
        }
        done();
      },
    });
  }

  /** How wide the window is; 80 if nobody has told the terminal. */
  get columns(): number {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80; // the terminal hung up: no size is wrong now
    }
  }

  /** Runs `draw` and shows all that it wrote at once, which does not flicker. */
  draw(draw: () => void): void {
    this.cork();
    try {
      draw();
    } finally {
      this.uncork();
    }
  }
}
