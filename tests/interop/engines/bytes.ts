/** Numbers and strings as other programs write them. */

import { concat } from "@std/bytes";
import { utf8 } from "../../support/bytes.ts";

export { concat, utf8 };
export { hex } from "../../support/bytes.ts";

/** A number in so many bytes, most significant first; a negative one as its two's complement. */
export function be(value: number | bigint, bytes = 4): Uint8Array {
  return le(value, bytes).toReversed();
}

/** A number in so many bytes, least significant first. */
export function le(value: number | bigint, bytes = 4): Uint8Array {
  const rest = BigInt.asUintN(8 * bytes, BigInt(value));
  return Uint8Array.from({ length: bytes }, (_, i) => Number(rest >> BigInt(8 * i) & 0xffn));
}

/** A text or bytes behind a length. */
export function counted(content: string | Uint8Array, length: (bytes: number) => Uint8Array) {
  const bytes = typeof content === "string" ? utf8(content) : content;
  return concat([length(bytes.length), bytes]);
}

/** A text that ends with NUL. */
export function terminated(content: string): Uint8Array {
  return utf8(content + "\0");
}

/** Bytes as text, a character for each, so that texts can be found between other bytes. */
export function latin1(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
