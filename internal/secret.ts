/**
 * Checks a token that both ends know. A client that has the token may connect.
 *
 * @module
 */

import { withoutLineEnd } from "./text.ts";

/** The longest token, in bytes of UTF-8. */
const MAX_TOKEN_BYTES = 1024;

const encoder = new TextEncoder();

/**
 * Returns a function that tells whether a token is the expected one. Its running time depends only on
 * the token that it is given: not on the length of the expected token, and not on how much of the token
 * is right. Tokens are equal if their UTF-8 bytes are. Line ends after a token and a byte order mark
 * before it do not count, in either token: files and pipes add them, and a framing by lines could not
 * carry them.
 *
 * @throws {TypeError} if the expected token does not have 1 to 1024 bytes, or has a lone surrogate. The
 *   error does not show the token.
 *
 * @example One right, one wrong
 * ```ts
 * import { checkToken } from "./secret.ts";
 * import { assert } from "@std/assert";
 *
 * const isToken = checkToken("open sesame");
 * assert(isToken("open sesame"));
 * assert(!isToken("open barley"));
 * ```
 */
export function checkToken(expected: string): (token: string) => boolean {
  if (typeof expected !== "string") {
    throw new TypeError(`Cannot use token of type ${typeof expected}: it must be a string`);
  }
  const secret = withoutLineEnd(expected);
  const { length } = encoder.encode(secret);
  if (length < 1 || length > MAX_TOKEN_BYTES) {
    throw new TypeError(
      `Cannot use token of ${length} bytes: it must have 1 to ${MAX_TOKEN_BYTES} bytes`,
    );
  }
  if (!secret.isWellFormed()) {
    throw new TypeError("Cannot use token with half a surrogate pair: it must be Unicode text");
  }
  const isExpected = sameAs(secret);
  return (given) => {
    const token = withoutLineEnd(given);
    // A token that is too long is wrong, and a peer must not choose how many bytes are compared. A lone
    // surrogate would be encoded as U+FFFD, which the expected token may contain.
    if (token.length > MAX_TOKEN_BYTES || !token.isWellFormed()) return false;
    return isExpected(token);
  };
}

/**
 * Returns a function that tells whether a text is the secret. Its running time depends only on the text
 * that it is given. Texts are equal if their UTF-8 bytes are.
 */
export function sameAs(secret: string): (text: string) => boolean {
  const { length, table } = paddedBytes(secret);
  const mask = table.length - 1;
  return (text) => {
    const given = encoder.encode(text);
    // As many steps as there are bytes given, and none that depends on a byte of the secret. A text that
    // is longer meets the table again from its beginning.
    let difference = given.length ^ length;
    for (let i = 0; i < given.length; i++) difference |= given[i] ^ table[i & mask];
    return difference === 0;
  };
}

/** The bytes of a text, in a table whose length is the next power of two, and how many they are. */
function paddedBytes(text: string): { length: number; table: Uint8Array } {
  const bytes = encoder.encode(text);
  const table = new Uint8Array(2 ** Math.ceil(Math.log2(bytes.length + 1)));
  table.set(bytes);
  return { length: bytes.length, table };
}
