/** Unsigned base-128 numbers: seven bits a byte, the least first, the eighth set where more follow. */

/** How many bytes a number takes, in its shortest form. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes++;
  return bytes;
}

/** Writes a number in its shortest form, and returns where it ends. */
export function writeVarint(value: number, target: Uint8Array, at: number): number {
  for (; value >= 0x80; value = Math.floor(value / 0x80)) target[at++] = value & 0x7f | 0x80;
  target[at++] = value;
  return at;
}

/** Where the number at `at` ends; -1 if it does not before `end`. */
export function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) if (bytes[at] < 0x80) return at + 1;
  return -1;
}

/** The number in these bytes, whether or not it is their shortest form. Exact up to 2^53. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = bytes[--end];
  while (end > at) value = value * 0x80 + (bytes[--end] & 0x7f);
  return value;
}
