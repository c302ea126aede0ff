// deno-lint-ignore-file no-control-regex
import { widthOf } from "./width.ts";

/** The position on the screen where a text without line breaks ends, counted from its beginning. */
export interface Position {
  cols: number;
  rows: number;
}

/**
 * A part of a text: a colour code, which has no width, or a run of characters that have one column
 * each, or one other character.
 */
const PART = /\x1b\[[\d;]*m|[\x20-\x7e]+|[^]/gu;

const TAB_SIZE = 8;

/** Measures texts. If a text continues the last one, only the rest is measured. */
export class Ruler {
  readonly #widthOf: (character: string) => number;
  #text = "";
  #columns = 0;
  /** The columns up to the end of `#text`, as if all rows were side by side. */
  #end = 0;

  /** `width` returns the columns of a character that is not ASCII: 0, 1 or 2. */
  constructor(width: (character: string) => number = widthOf) {
    this.#widthOf = width;
  }

  /** The position where a text ends in a window of `columns` columns. */
  measure(text: string, columns: number): Position {
    const goesOn = columns === this.#columns && text.startsWith(this.#text);
    let end = goesOn ? this.#end : 0;
    const rest = goesOn ? text.slice(this.#text.length) : text;
    for (const [part] of rest.matchAll(PART)) end = this.#add(end, part, columns);
    this.#text = text;
    this.#columns = columns;
    this.#end = end;
    return { cols: end % columns, rows: Math.floor(end / columns) };
  }

  #add(end: number, part: string, columns: number): number {
    if (part.startsWith("\x1b[")) return end;
    const column = end % columns;
    // A tab goes to the next tab stop, but never into the next row.
    if (part === "\t") return end + Math.min(TAB_SIZE - column % TAB_SIZE, columns - 1 - column);
    if (part >= " " && part <= "\x7e") return end + part.length;
    const width = this.#widthOf(part);
    // A wide character that does not fit leaves the last column empty.
    return end + width + (width === 2 && column === columns - 1 ? 1 : 0);
  }
}
