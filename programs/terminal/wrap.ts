// deno-lint-ignore-file no-control-regex
/** Breaks lines between words, for the width of a window. */

import { columnsOf, graphemesOf } from "./width.ts";

/** A colour code, a tab, spaces, or a word. */
const PIECE = /\x1b\[[\d;]*m|\t| +|[^\x1b\t ]+|\x1b/g;
const ASCII = /^[\x00-\x7f]*$/;
const TAB_SIZE = 8;

/** Where the rows of a line are. */
export interface Place {
  /** The width of the window. */
  readonly columns: number;
  /** The column in which each row begins. */
  readonly indent: number;
}

/**
 * The rows of a line, without their indent. A row ends between two words, or beside a wide character,
 * as Chinese has no spaces. A word that is longer than a row is broken, but no character is that has
 * several parts, such as an emoji with a colour. Colours go on in the next row.
 */
export function wrap(line: string, { columns, indent }: Place): string[] {
  const rows: string[] = [];
  let row = "";
  let column = indent;
  /** What stands between the last word and the next one, and its width. */
  let gap = { text: "", codes: "", width: 0 };
  const place = (piece: string, width: number) => {
    if (column + gap.width + width > columns && column > indent) {
      rows.push(row);
      [row, column] = [gap.codes, indent];
    } else {
      row += gap.text;
      column += gap.width;
    }
    gap = { text: "", codes: "", width: 0 };
    row += piece;
    column += width;
  };
  const placeGap = (text: string, width: number, codes = "") => {
    gap = { text: gap.text + text, codes: gap.codes + codes, width: gap.width + width };
  };
  for (const [piece] of line.matchAll(PIECE)) {
    if (piece.startsWith("\x1b")) placeGap(piece, 0, piece);
    else if (piece === "\t") placeGap(piece, TAB_SIZE - (column + gap.width) % TAB_SIZE);
    else if (piece.startsWith(" ")) placeGap(piece, piece.length);
    else {
      const rooms = { first: columns - column - gap.width, other: columns - indent };
      for (const [part, width] of partsOf(piece, rooms)) place(part, width);
    }
  }
  // Codes at the end belong to the last row, and spaces are not seen.
  rows.push(row + (column + gap.width <= columns ? gap.text : gap.codes));
  return rows;
}

/**
 * The parts of a word between which a row may end, with their columns. The first part of a word that is longer than a row
 * fills the row in which it begins.
 */
function* partsOf(
  word: string,
  rooms: { readonly first: number; readonly other: number },
): Generator<[part: string, columns: number]> {
  const isAscii = ASCII.test(word);
  const whole = columnsOf(word);
  if (isAscii && whole <= rooms.other) return yield [word, whole];
  let room = whole > rooms.other && rooms.first > 0 ? rooms.first : rooms.other;
  let part = "";
  let width = 0;
  for (const grapheme of isAscii ? word : graphemesOf(word)) {
    const columns = columnsOf(grapheme);
    if (part !== "" && (columns > 1 || width + columns > room)) {
      yield [part, width];
      [part, width, room] = ["", 0, rooms.other];
    }
    part += grapheme;
    width += columns;
    if (columns <= 1) continue;
    yield [part, width];
    [part, width] = ["", 0];
  }
  if (part !== "") yield [part, width];
}
