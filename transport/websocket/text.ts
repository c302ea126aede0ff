/** Whether the bytes of a text message are UTF-8 (RFC 6455, section 8.1). */

import { InvalidMessageError } from "../../errors.ts";
import { bitsOf, isAscii } from "./mask.ts";

const OPTIONS: TextDecoderOptions = { fatal: true, ignoreBOM: true };
const whole = new TextDecoder("utf-8", OPTIONS);

/**
 * Checks a whole text, of which `bits` are the combined bits; see `mask()`.
 *
 * @throws {InvalidMessageError} if it is not UTF-8.
 */
export function checkText(text: Uint8Array, bits: number): void {
  if (!isAscii(bits)) check(whole, text, false);
}

/** Checks a text that comes in parts, and refuses the first byte that cannot belong to UTF-8. */
export class TextParts {
  /** Made for the first part that is not ASCII. What was before it needs no check. */
  #decoder: TextDecoder | undefined;

  /**
   * Takes the next part of a text. After the last one, another text may begin.
   *
   * @throws {InvalidMessageError} as soon as no further part could make it UTF-8.
   */
  add(part: Uint8Array, bits: number, isLast: boolean): void {
    if (this.#decoder === undefined && isAscii(bits)) return;
    this.#decoder ??= new TextDecoder("utf-8", OPTIONS);
    check(this.#decoder, part, !isLast);
    if (isLast) this.#decoder = undefined;
  }
}

/** Whether bytes are UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    checkText(bytes, bitsOf(bytes, 0, bytes.length));
    return true;
  } catch {
    return false; // The answer, and not an error.
  }
}

function check(decoder: TextDecoder, text: Uint8Array, stream: boolean): void {
  try {
    decoder.decode(text, { stream });
  } catch (cause) {
    throw new InvalidMessageError("Cannot receive text message: it is not UTF-8", { cause });
  }
}
