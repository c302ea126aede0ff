// deno-lint-ignore-file no-control-regex
/** Splits what a terminal sends for keys into pieces. */

/** An escape sequence, a run of text, or one control character. */
const PIECE =
  /^(?:\x1b\x1b?(?:\[\[?[0-?]*[ -/]*[@-~]?|O\d?[A-Za-z]?|[^\x00-\x1f])?|[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0]+|\r\n|[^])/u;

/** The keys that node:readline knows. It would take the tail of any other sequence for text. */
const KEY =
  /^(?:\x1b\x1b?(?:\[\[?(?:\d\d?(?:;\d)?[~^$]|(?:\d;)?\d?[A-Za-z])|O\d?[A-Za-z]|[^\x00-\x1f[O])|[\x00-\x1a\x1e\x1f\x7f\u2028\u2029]|\r\n)$/u;

const TEXT = /^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0]+$/;
const END_OF_LINE = /^[\x03\r\n]/;

/** The first piece of what the keyboard sent. `keys` must not be empty. */
export function firstPiece(keys: string): string {
  return PIECE.exec(keys)![0];
}

/**
 * Whether a piece at the end of what was sent may be the beginning of a key that is not complete
 * yet.
 */
export function mayGoOn(piece: string): boolean {
  return piece.startsWith("\x1b") && !KEY.test(piece);
}

/** Whether a piece is a key that the line editor knows. */
export function isKey(piece: string): boolean {
  return KEY.test(piece);
}

/** Whether a piece is text to be inserted. */
export function isText(piece: string): boolean {
  return TEXT.test(piece);
}

/** Whether a piece ends the line being typed: Enter, or Ctrl-C. */
export function endsLine(piece: string): boolean {
  return END_OF_LINE.test(piece);
}

/** Whether a piece is Enter. */
export function isEnter(piece: string): boolean {
  return /^[\r\n]/.test(piece);
}
