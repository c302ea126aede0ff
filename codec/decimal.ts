/** Lengths in decimal digits. */

import { InvalidLengthError, MessageTooLargeError } from "../errors.ts";

/** More digits are no length: 2^53 has 16. */
export const MAX_DIGITS = 16;
const ZERO = 0x30;
const MAX_SHOWN = 24;

/** Whether a byte is one of `0` to `9`. */
export function isDigit(byte: number): boolean {
  return (byte ^ ZERO) < 10;
}

/** Where the digits end that begin at `at`. Looks at most at one more than a length has. */
export function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  const last = Math.min(end, at + MAX_DIGITS + 1);
  while (at < last && isDigit(bytes[at])) at++;
  return at;
}

/** A length that is being read. */
export interface Digits {
  /** Where it stands. */
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Where its digits end. */
  readonly end: number;
  /** Where in the stream it begins. */
  readonly offset: number;
}

/**
 * The number that these digits are.
 *
 * @throws {InvalidLengthError} for no digits, for too many, and for a zero before others.
 * @throws {MessageTooLargeError} if it is above the limit.
 */
export function readLength(digits: Digits, limit: number): number {
  const { bytes, at, end, offset } = digits;
  if (end === at) refuseLength(digits, limit, "is not a decimal number");
  if (end - at > MAX_DIGITS) refuseLength(digits, limit, `has more than ${MAX_DIGITS} digits`);
  if (bytes[at] === ZERO && end - at > 1) refuseLength(digits, limit, "has a leading zero");
  let length = 0;
  for (let i = at; i < end; i++) length = length * 10 + (bytes[i] - ZERO);
  if (length > limit) {
    throw new MessageTooLargeError("receive", length, limit, `its length is at byte ${offset}`);
  }
  return length;
}

/** Throws the error for a length that is none. It tells the value, the place and the limit. */
export function refuseLength({ bytes, at, offset }: Digits, limit: number, what: string): never {
  const start = bytes.subarray(at, at + MAX_SHOWN);
  const text = JSON.stringify(String.fromCharCode(...start));
  throw new InvalidLengthError(
    `Cannot receive message: length ${text} at byte ${offset} ${what}, limit is ${limit} bytes`,
  );
}

/** How many digits a length has. */
export function decimalDigits(length: number): number {
  let digits = 1;
  for (; length >= 10; length = Math.floor(length / 10)) digits++;
  return digits;
}

/** Writes a length, and returns where it ends. */
export function writeDecimal(length: number, target: Uint8Array, at: number): number {
  const end = at + decimalDigits(length);
  for (let i = end - 1; i >= at; i--) {
    target[i] = ZERO + length % 10;
    length = Math.floor(length / 10);
  }
  return end;
}
