// deno-lint-ignore-file no-control-regex
/** Pastes, around which terminals put marks when they are asked to (DECSET 2004). */

/** Asks the terminal for marks. */
export const MARKS_ON = "\x1b[?2004h";
/** Asks for none any more. */
export const MARKS_OFF = "\x1b[?2004l";

/** The mark before a paste. */
export const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/**
 * A line break within the line that is edited. It is a noncharacter and taken from no keyboard, so
 * that what is shown in its place can be typed as itself.
 */
export const BREAK = "\ufdd0";
/** What is shown in its place. */
export const SHOWN_BREAK = "↵";

const LAST_BREAK = /(?:\r\n?|[\n\u2028\u2029])$/;
/** What may be the last line break, which may go on, and may be followed by the mark's beginning. */
const UNDECIDED = /(?:\r\n?|[\n\u2028\u2029])?(?:\x1b(?:\[(?:2(?:0(?:1)?)?)?)?)?$/;
const UNUSABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0]/g;
const LINE_BREAK = /\r\n?|[\n\u2028\u2029]/g;
const PASTE_OR_INTERRUPT = /\x1b\[200~[^]*?(?:\x1b\[201~|$)|\x03/g;

/** A part of a paste, and what was received behind it. */
export interface PastePart {
  /** What to insert: no control characters but tabs, and `BREAK` for each line break. */
  readonly text: string;
  /** What is to be looked at again, with what comes next. */
  readonly rest: string;
  /** Whether the paste ends here. */
  readonly isLast: boolean;
}

/**
 * Takes what can be taken of a paste. The line break at its end is left out: it comes from marking
 * whole lines, and would send an empty one.
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

/** Where the last Ctrl-C ends that was typed and not pasted; -1 without one. */
export function endOfInterrupt(received: string, isInPaste: boolean): number {
  const before = isInPaste ? PASTE_START : "";
  const last = [...(before + received).matchAll(PASTE_OR_INTERRUPT)]
    .findLast(([match]) => match === "\x03");
  return last === undefined ? -1 : last.index + 1 - before.length;
}
