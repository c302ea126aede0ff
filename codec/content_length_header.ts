/** The header with Content-Length: where it ends, and what it says. */

import { InvalidLengthError, InvalidMessageError } from "../errors.ts";
import { readLength, refuseLength } from "./decimal.ts";

/** The longest header, with its empty line. */
export const MAX_HEADER_BYTES = 8192;

const CR = 0x0d;
const LF = 0x0a;
/** A field: a name of HTTP's token characters (RFC 9110, 5.6.2), and a value. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)$/;

/** Whether a byte can begin a field. */
export function isToken(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(byte));
}

/** Where the empty line of a header ends; -1 if it is not there, or behind a line that ends with LF alone. */
export function headerEnd(bytes: Uint8Array): number {
  let last = -2;
  for (
    let at = bytes.indexOf(LF);
    at >= 0 && bytes[at - 1] === CR;
    at = bytes.indexOf(LF, at + 1)
  ) {
    if (at - last === 2) return at + 1;
    last = at;
  }
  return -1;
}

/**
 * The length that a header says. It stands at byte `offset` of the stream and ends with its empty line.
 *
 * @throws {InvalidLengthError} if there is no length, or not one, or it is none.
 * @throws {InvalidMessageError} if a line is no field.
 * @throws {MessageTooLargeError} if the length is above the limit.
 */
export function readHeader(header: Uint8Array, offset: number, limit: number): number {
  let text = "";
  for (let i = 0; i < header.length - 4; i++) text += String.fromCharCode(header[i]);
  let length = -1;
  let at = 0;
  for (const line of text.split("\r\n")) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) {
      throw new InvalidMessageError(
        `Cannot receive message: ${JSON.stringify(line.slice(0, 40))} at byte ${offset + at} ` +
          "is no field of a header",
      );
    }
    if (name.toLowerCase() === "content-length") {
      if (length >= 0) {
        throw new InvalidLengthError(
          `Cannot receive message: its header has a second Content-Length at byte ${offset + at}`,
        );
      }
      length = readValue(header, at + line.length - value.length, value, offset, limit);
    }
    at += line.length + 2;
  }
  if (length >= 0) return length;
  throw new InvalidLengthError(
    `Cannot receive message: its header at byte ${offset} has no Content-Length`,
  );
}

function readValue(
  bytes: Uint8Array,
  at: number,
  value: string,
  offset: number,
  limit: number,
): number {
  const trimmed = value.replace(/[ \t]{1,100}$/, "");
  const digits = { bytes, at, end: at + trimmed.length, offset: offset + at };
  if (!/^[0-9]+$/.test(trimmed)) refuseLength(digits, limit, "is not a decimal number");
  return readLength(digits, limit);
}
