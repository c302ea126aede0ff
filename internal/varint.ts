/** Unsigned base-128 numbers: 7 bits per byte, lowest first; the eighth bit says that more follow. */

/** How many bytes a number has in its shortest form. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes++;
  return bytes;
}

/** Writes a number in its shortest form at `at`, and returns where it ends. */
export function writeVarint(value: number, target: Uint8Array, at: number): number {
  for (; value >= 0x80; value = Math.floor(value / 0x80)) target[at++] = value & 0x7f | 0x80;
  target[at++] = value;
  return at;
}

/** Where the number at `at` ends; -1 if it does not end before `end`. */
export function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) if (bytes[at] < 0x80) return at + 1;
  return -1;
}

/** The number in the bytes from `at` to `end`, in its shortest or a longer form. Exact up to 2^53. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = bytes[--end];
  while (end > at) value = value * 0x80 + (bytes[--end] & 0x7f);
  return value;
}
