/** How many columns text takes on the screen. */

import { Interface } from "node:readline";

/** Characters that take no column of their own. The soft hyphen is shown as a hyphen. */
const MARK = /^(?!\xad)[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
/** Asks for the picture of a character, which is wide, where it has a narrow one too. */
const AS_PICTURE = "\ufe0f";
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const measure = measureOfReadline();
/** Widths that were measured. */
const widths = new Map<string, number>();
/** How many of them are kept. Who writes uses far fewer characters. */
const MAX_WIDTHS = 10_000;

/** The columns of one character (code point): 0, 1 or 2. */
export function widthOf(character: string): number {
  const known = widths.get(character);
  if (known !== undefined) return known;
  const width = MARK.test(character) ? 0 : measure(character);
  if (widths.size >= MAX_WIDTHS) widths.clear();
  widths.set(character, width);
  return width;
}

/**
 * The columns of a text without tabs and colour codes. Where terminals differ, as with families of
 * emoji, it is what the widest of them take.
 */
export function columnsOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let columns = 0;
  let last = 0;
  for (const character of text) {
    const width = character === AS_PICTURE && last === 1 ? 1 : widthOf(character);
    columns += width;
    last = width;
  }
  return columns;
}

/** The parts of a text that a reader takes for one character. */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** The beginning of a text that takes at most so many columns, with a mark if something is left out. */
export function cropped(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let beginning = "";
  let width = 1; // of the mark
  for (const grapheme of graphemesOf(text)) {
    width += columnsOf(grapheme);
    if (width > columns) break;
    beginning += grapheme;
  }
  return columns < 1 ? "" : `${beginning}…`;
}

/** What node:readline takes for the width of a character, which is not among its types. */
function measureOfReadline(): (character: string) => number {
  for (let owner = Interface.prototype; owner; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner)
      .find(({ description }) => description === "_getDisplayPos");
    if (key === undefined) continue;
    // deno-lint-ignore no-explicit-any
    const measure: (this: object, text: string) => { cols: number } = (owner as any)[key];
    return (character) => measure.call({ columns: 80 }, character).cols;
  }
  return () => 1;
}
