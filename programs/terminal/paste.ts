// deno-lint-ignore-file no-control-regex
/** Pastes. Terminals put marks around them if they are asked to (DECSET 2004). */

/** Asks the terminal for marks. */
export const MARKS_ON = "\x1b[?2004h";
/** Asks the terminal to stop sending marks. */
export const MARKS_OFF = "\x1b[?2004l";

/** The mark before a paste. */
export const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/**
 * A line break within the line that is edited. It is a noncharacter, and no keyboard input may
 * contain it. So the character that is shown in its place can still be typed.
 */
export const BREAK = "\ufdd0";
/** The character that is shown for {@linkcode BREAK}. */
export const SHOWN_BREAK = "↵";

const LAST_BREAK = /(?:\r\n?|[\n\u2028\u2029])$/;
/**
 * The end of what has come that cannot be decided yet: perhaps the last line break, perhaps the
 * beginning of the end mark, or both.
 */
const UNDECIDED = /(?:\r\n?|[\n\u2028\u2029])?(?:\x1b(?:\[(?:2(?:0(?:1)?)?)?)?)?$/;
const UNUSABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0]/g;
const LINE_BREAK = /\r\n?|[\n\u2028\u2029]/g;
const PASTE_OR_INTERRUPT = /\x1b\[200~[^]*?(?:\x1b\[201~|$)|\x03/g;

/** A part of a paste, and what was received after it. */
export interface PastePart {
  /** What to insert: no control characters but tabs, and `BREAK` for each line break. */
  readonly text: string;
  /** What must be looked at again together with what comes next. */
  readonly rest: string;
  /** Whether the paste ends here. */
  readonly isLast: boolean;
}

/**
 * Takes as much of a paste as can be decided. The line break at its end is left out. It comes from
 * selecting whole lines, and would send an empty line.
 */
export function takePaste(received: string): PastePart {
  const end = received.indexOf(PASTE_END);
  if (end < 0) {
    const text = received.replace(UNDECIDED, "");
    return { text: insertable(text), rest: received.slice(text.length), isLast: false };
  }
  const text = received.slice(0, end).replace(LAST_BREAK, "");
  return { text: insertable(text), rest: received.slice(end + PASTE_END.length), isLast: true };
}

function insertable(text: string): string {
  return text.replaceAll(UNUSABLE, "").replaceAll(LINE_BREAK, BREAK);
}

/** The end of the last Ctrl-C that was typed and not pasted. -1 if there is none. */
export function endOfInterrupt(received: string, isInPaste: boolean): number {
  const before = isInPaste ? PASTE_START : "";
  const last = [...(before + received).matchAll(PASTE_OR_INTERRUPT)]
    .findLast(([match]) => match === "\x03");
  return last === undefined ? -1 : last.index + 1 - before.length;
}
