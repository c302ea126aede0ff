/**
 * A token that both ends know: whoever has it may come in.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { withoutLineEnd } from "./text.ts";

/** The longest token, in bytes of UTF-8. */
const MAX_TOKEN_BYTES = 1024;

/**
 * Gives what tells whether a token is the expected one. How long that takes depends on what is asked
 * only, neither on the expected token's length nor on how much of it was right. Tokens are compared
 * byte by byte of their UTF-8. Line ends behind a token, and a byte order mark before it, are no part
 * of it, here and there: files and pipes add them, and a framing by lines could not carry them.
 *
 * @throws {TypeError} for a token that has not 1 to 1024 bytes, or has half a surrogate pair. The
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
  const { length } = new TextEncoder().encode(secret);
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
    // What is too long cannot be right, and a peer must not choose how much there is to digest. Half a
    // surrogate pair would be encoded as U+FFFD, which may be in the right token.
    if (token.length > MAX_TOKEN_BYTES || !token.isWellFormed()) return false;
    return isExpected(token);
  };
}

/**
 * Gives what tells whether a text of any length is the secret one, in a time that depends on the text
 * that is asked about only. Texts are the same when their UTF-8 is.
 */
export function sameAs(secret: string): (text: string) => boolean {
  const expected = digest(secret);
  return (text) => timingSafeEqual(digest(text), expected);
}

/** Digests are all of one length, so that comparing them tells nothing of the tokens' lengths. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token, "utf8").digest();
}
