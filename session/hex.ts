/** Session ids between bytes and keys of a Map. */

/** Lower-case hexadecimal digits. */
export function encodeHex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

/** Writes what the digits say into the target. */
export function parseHex(digits: string, target: Uint8Array, at: number): void {
  for (let i = 0; i < digits.length; i += 2) {
    target[at++] = parseInt(digits.slice(i, i + 2), 16);
  }
}
