/** Strings as UTF-8. */

const encoder = new TextEncoder();
const scratch = new Uint8Array(4096);

/**
 * The UTF-8 bytes of a string, to copy at once. The bytes of a short string are in a buffer that
 * the next call uses again. An outbox copies everything that fits in a block at once.
 */
export function utf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** The UTF-8 bytes of a string, to keep. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
