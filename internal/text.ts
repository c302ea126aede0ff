/**
 * Text from a peer, made safe to show on a terminal.
 *
 * @module
 */

/**
 * All characters that control a terminal or mislead a reader: the control characters C0 (without tab),
 * DEL and C1; characters that change the direction of writing; line and paragraph separators;
 * invisible characters; and lone surrogates. ZWNJ, ZWJ and the variation selectors (U+200C, U+200D,
 * U+FE00-FE0F, U+E0100-E01EF) are not among them, because Persian and emoji need them.
 */
const unprintable =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\n-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}\ud800-\udfff]/gu;

/**
 * Makes a text safe to show: replaces each harmful character by an escape such as `\x1b`, `\u202e` or
 * `\u{e0041}`. The result is one line. Everything else stays as it is, backslashes too.
 *
 * @example A command that would clear the screen is shown as text
 * ```ts
 * import { printable } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printable("\x1b[2J gone"), "\\x1b[2J gone");
 * ```
 */
export function printable(text: string): string {
  return text.replace(unprintable, visible);
}

/**
 * A text without the line ends at its end and without a byte order mark at its start: what files and
 * editors put around a secret or a line, and nobody means.
 */
export function withoutLineEnd(text: string): string {
  // Not by a pattern, which would begin anew at each line end that is not the last.
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end--;
  return text.slice(text.startsWith("\ufeff") ? 1 : 0, end);
}

function visible(character: string): string {
  const hex = character.codePointAt(0)!.toString(16);
  if (hex.length > 4) return `\\u{${hex}}`;
  return hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
}

/** Longer texts are not quoted. */
const MAX_QUOTED_BYTES = 200;

/** Bytes that are not what was expected, as ` "…"`; an empty string if they are not a short text. */
export function quoted(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const isText = /^[^\p{Cc}]*\n?$/u.test(text) && bytes.length <= MAX_QUOTED_BYTES;
    return isText && text.trim() !== "" ? ` "${printable(text.trimEnd())}"` : "";
  } catch {
    return "";
  }
}
