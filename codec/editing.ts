/** The keys that erase, where a terminal sends them instead of obeying them. */

/** Ctrl-H, which some terminals send for the backspace key. */
export const BACKSPACE = 0x08;
/** Ctrl-U. */
export const ERASE_LINE = 0x15;
/** What most terminals send for the backspace key. */
const DELETE = 0x7f;
/** Ctrl-W. */
const ERASE_WORD = 0x17;
const SPACE = 0x20;
const TAB = 0x09;

/** Whether a line has a key that erases. */
export function hasErasing(line: Uint8Array): boolean {
  return [BACKSPACE, DELETE, ERASE_LINE, ERASE_WORD].some((key) => line.includes(key));
}

/**
 * The line as its writer saw it in the end: without what was erased, and without the keys that erased
 * it. Backspace and Delete erase a character of UTF-8, Ctrl-W a word, Ctrl-U all.
 */
export function edited(line: Uint8Array): Uint8Array {
  const out = new Uint8Array(line.length);
  let length = 0;
  for (const byte of line) {
    if (byte === BACKSPACE || byte === DELETE) length = withoutCharacter(out, length);
    else if (byte === ERASE_LINE) length = 0;
    else if (byte === ERASE_WORD) length = withoutWord(out, length);
    else out[length++] = byte;
  }
  return out.subarray(0, length);
}

function withoutCharacter(bytes: Uint8Array, length: number): number {
  let start = length - 1;
  while (start > 0 && length - start < 4 && (bytes[start] & 0xc0) === 0x80) start--;
  return Math.max(start, 0);
}

function withoutWord(bytes: Uint8Array, length: number): number {
  const isBlank = (at: number) => bytes[at] === SPACE || bytes[at] === TAB;
  while (length > 0 && isBlank(length - 1)) length--;
  while (length > 0 && !isBlank(length - 1)) length--;
  return length;
}
