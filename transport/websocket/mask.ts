/** Masking of WebSocket frames (RFC 6455, section 5.3). */

/** Fewer bytes are masked one by one, because that is faster than word by word. */
const MIN_WORD_BYTES = 24;
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
/** The last view of a buffer as words is kept, unless the buffer is larger than this. */
const MAX_KEPT_BYTES = 64 * 1024;
let lastWords = new Int32Array(0);

/**
 * Masks or unmasks the bytes from `start` to `end` in place: XORs them with a key, whose first byte
 * is its lowest one. Returns the bitwise OR of all resulting bytes, spread over the four bytes of a
 * word. By that, {@linkcode isAscii} finds text that needs no UTF-8 check.
 */
export function mask(bytes: Uint8Array, start: number, end: number, key: number): number {
  let at = start;
  let bits = 0;
  if (end - at >= MIN_WORD_BYTES && IS_LITTLE_ENDIAN) {
    const { byteOffset } = bytes;
    for (; (byteOffset + at) % 4 !== 0; at++) {
      bits |= bytes[at] ^= key & 0xff;
      key = rotate(key, 1);
    }
    const words = int32View(bytes.buffer);
    const last = Math.floor((byteOffset + end) / 4);
    for (let i = (byteOffset + at) / 4; i < last; i++) bits |= words[i] ^= key;
    at = last * 4 - byteOffset;
  }
  for (; at < end; at++) {
    bits |= bytes[at] ^= key & 0xff;
    key = key >>> 8 | key << 24;
  }
  return bits;
}

/** The same bits as {@linkcode mask} returns, for bytes that are not masked. */
export function bitsOf(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let bits = 0;
  if (end - at >= MIN_WORD_BYTES) {
    const { byteOffset } = bytes;
    for (; (byteOffset + at) % 4 !== 0; at++) bits |= bytes[at];
    const words = int32View(bytes.buffer);
    const last = Math.floor((byteOffset + end) / 4);
    for (let i = (byteOffset + at) / 4; i < last; i++) bits |= words[i];
    at = last * 4 - byteOffset;
  }
  for (; at < end; at++) bits |= bytes[at];
  return bits;
}

/** Whether all bytes are ASCII, by their combined bits. */
export function isAscii(bits: number): boolean {
  return (bits & 0x80808080) === 0;
}

/** The key for the bytes that follow after `bytes` bytes. */
export function rotate(key: number, bytes: number): number {
  const shift = 8 * (bytes % 4);
  return shift === 0 ? key : key >>> shift | key << 32 - shift;
}

/** Reads the key from a header. */
export function readKey(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}

/** Writes the key into a header. */
export function writeKey(bytes: Uint8Array, at: number, key: number): void {
  bytes[at] = key;
  bytes[at + 1] = key >>> 8;
  bytes[at + 2] = key >>> 16;
  bytes[at + 3] = key >>> 24;
}

/** Random keys in stock: to get a thousand costs the same as to get one. */
const keys = new Int32Array(1024);
let usedKeys = keys.length;

/** A new key that nobody can predict, as section 10.3 requires. */
export function newKey(): number {
  if (usedKeys === keys.length) {
    crypto.getRandomValues(keys);
    usedKeys = 0;
  }
  return keys[usedKeys++];
}

function int32View(buffer: ArrayBufferLike): Int32Array {
  if (lastWords.buffer === buffer) return lastWords;
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  if (buffer.byteLength <= MAX_KEPT_BYTES) lastWords = words as Int32Array<ArrayBuffer>;
  return words;
}
