/** Values on the wire: nothing, JSON, or bytes. */

import { Buffer } from "node:buffer";
import { InvalidMessageError } from "../errors.ts";

/** A value ready to be written: nothing, JSON text, or bytes. */
export type Encoded = undefined | string | Uint8Array;

/** The kind of a value: two bits of a message's first byte. */
export const Kind = { nothing: 0, json: 1, bytes: 2 } as const;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes a value. `undefined` and `null` stay different, and bytes stay bytes.
 *
 * @throws {TypeError} if the value is not JSON.
 */
export function encodeValue(value: unknown, what: string): Encoded {
  if (value === undefined || value instanceof Uint8Array) return value;
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`Cannot send ${what}: it is not JSON`, { cause });
  }
  if (json === undefined) throw new TypeError(`Cannot send ${what}: ${typeof value} is not JSON`);
  return json;
}

/** The kind of an encoded value. */
export function valueKind(encoded: Encoded): number {
  if (encoded === undefined) return Kind.nothing;
  return typeof encoded === "string" ? Kind.json : Kind.bytes;
}

/**
 * Decodes a value. A value of bytes is a view of the message.
 *
 * @throws {InvalidMessageError} if the value is not JSON.
 */
export function decodeValue(kind: number, bytes: Uint8Array): unknown {
  if (kind === Kind.nothing) return undefined;
  if (kind === Kind.bytes) return bytes;
  try {
    return JSON.parse(decodeText(bytes, 0, bytes.length));
  } catch (cause) {
    throw new InvalidMessageError("Cannot decode value: it is not JSON", { cause });
  }
}

/**
 * A text in a message.
 *
 * @throws {TypeError} if the text is not UTF-8.
 */
export function decodeText(message: Uint8Array, start: number, end: number): string {
  // For short texts, this takes a third of TextDecoder's time. But it does not throw for wrong UTF-8: it
  // gives U+FFFD. Then TextDecoder decides.
  const at = message.byteOffset + start;
  const text = Buffer.from(message.buffer, at, end - start).toString();
  return text.includes("\ufffd") ? strictUtf8.decode(message.subarray(start, end)) : text;
}
