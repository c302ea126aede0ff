/** Short texts out of bytes: a page has no `Buffer`, and few names that come again. */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A text in a message. Throws a TypeError if the text is not UTF-8. */
export function decodeText(message: Uint8Array, start: number, end: number): string {
  return strict.decode(message.subarray(start, end));
}

/** The same. */
export const decodeName: typeof decodeText = decodeText;
