/** The body of WebSocket's Close frame (RFC 6455, sections 5.5.1 and 7.4). */

import type { EndInfo } from "../../codec.ts";
import { InvalidMessageError, MessageTooLargeError, ProtocolError } from "../../errors.ts";

const NORMAL = 1000;
const BROKE_PROTOCOL = 1002;
const INVALID_MESSAGE = 1007;
const TOO_LARGE = 1009;
/** A control frame holds 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The body of this end's Close frame. A reason that is too long is cut.
 *
 * @throws {RangeError} if the code may not be sent.
 */
export function encodeCloseBody(info: EndInfo): Uint8Array {
  const { error } = info;
  const {
    code = error === undefined ? NORMAL : closeCodeOf(error),
    reason = error?.message ?? "",
  } = info;
  if (!isCloseCode(code)) {
    throw new RangeError(
      `Cannot close with code ${code}: it must be 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    );
  }
  const text = encoder.encode(reason);
  const length = lengthOfWhole(text);
  const body = new Uint8Array(2 + length);
  body[0] = code >>> 8;
  body[1] = code;
  body.set(text.subarray(0, length), 2);
  return body;
}

/**
 * Decodes the body of the peer's Close frame.
 *
 * @throws {ProtocolError} if the code may not be sent, or only half of it is there.
 * @throws {InvalidMessageError} if the reason is not UTF-8.
 */
export function decodeCloseBody(body: Uint8Array): EndInfo {
  if (body.length === 0) return {};
  if (body.length === 1) {
    throw new ProtocolError("Cannot receive Close frame: it has one byte, half of a code");
  }
  const code = body[0] << 8 | body[1];
  if (!isCloseCode(code)) {
    throw new ProtocolError(`Cannot receive Close frame: code ${code} may not be sent`);
  }
  try {
    const reason = decoder.decode(body.subarray(2));
    return reason === "" ? { code } : { code, reason };
  } catch (cause) {
    throw new InvalidMessageError("Cannot receive Close frame: its reason is not UTF-8", { cause });
  }
}

/** Whether section 7.4 and IANA's registry allow a code in a frame: not 1004 to 1006, not 1015. */
function isCloseCode(code: number): boolean {
  return Number.isInteger(code) &&
    (code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999);
}

function closeCodeOf(error: ProtocolError): number {
  if (error instanceof MessageTooLargeError) return TOO_LARGE;
  return error instanceof InvalidMessageError ? INVALID_MESSAGE : BROKE_PROTOCOL;
}

/** How many bytes of a text fit, without cutting a character. */
function lengthOfWhole(text: Uint8Array): number {
  if (text.length <= MAX_REASON_BYTES) return text.length;
  let length = MAX_REASON_BYTES;
  while ((text[length] & 0xc0) === 0x80) length--;
  return length;
}
