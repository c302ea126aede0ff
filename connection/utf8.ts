/** Strings on their way out. */

const encoder = new TextEncoder();
const scratch = new Uint8Array(4096);

/**
 * UTF-8 bytes of a string. Those of a short one are in a buffer that the next call uses again, so
 * they must be copied at once, which an outbox does with anything that fits in a block.
 */
export function utf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** UTF-8 bytes of a string, to keep. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
