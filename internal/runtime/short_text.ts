/** Short texts out of bytes. */

import { builtinOrNone } from "./builtin.ts";

/** Longer names are not kept. */
const MAX_NAME_BYTES = 32;
/** How many names are kept. A power of two. */
const NAMES = 64;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const buffers = builtinOrNone("node:buffer")?.Buffer;

/**
 * A text in a message.
 *
 * @throws {TypeError} if the text is not UTF-8.
 */
export const decodeText: (message: Uint8Array, start: number, end: number) => string =
  buffers === undefined
    ? (message, start, end) => strict.decode(message.subarray(start, end))
    : (message, start, end) => {
      // For short texts, this takes a third of TextDecoder's time. But it does not throw for wrong
      // UTF-8: it gives U+FFFD. Then TextDecoder decides.
      const at = message.byteOffset + start;
      const text = buffers.from(message.buffer, at, end - start).toString();
      return text.includes("\ufffd") ? strict.decode(message.subarray(start, end)) : text;
    };

/** A name and its bytes. */
interface Name {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Each has one place, by its length and its ends; who comes later takes it. */
const names: (Name | undefined)[] = new Array(NAMES).fill(undefined);

/**
 * As `decodeText()`, for texts of which the same few come again and again, such as the names of methods:
 * comparing their bytes takes a tenth of the time.
 *
 * @throws {TypeError} if the text is not UTF-8.
 */
export function decodeName(message: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0 || length > MAX_NAME_BYTES) return decodeText(message, start, end);
  const place = (length * 31 + message[start] * 7 + message[end - 1]) & NAMES - 1;
  const known = names[place];
  if (known !== undefined && isAt(known.bytes, message, start, length)) return known.text;
  const text = decodeText(message, start, end);
  names[place] = { bytes: message.slice(start, end), text };
  return text;
}

function isAt(bytes: Uint8Array, message: Uint8Array, start: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[i] !== message[start + i]) return false;
  return true;
}
