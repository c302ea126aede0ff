/** Values on the wire: nothing, JSON, or bytes. */

import { InvalidMessageError } from "../errors.ts";
import { decodeText } from "../internal/runtime/short_text.ts";

/** A value ready to be written: nothing, JSON text, or bytes. */
export type Encoded = undefined | string | Uint8Array;

/** A value that was encoded before: it is sent as it is, any number of times. */
export class Ready {
  /** What `encodeValue()` gave. */
  constructor(readonly encoded: Encoded) {}

  /** How many bytes it has, at most. */
  get maxBytes(): number {
    return (this.encoded?.length ?? 0) * (typeof this.encoded === "string" ? 3 : 1);
  }
}

/** The kind of a value: two bits of a message's first byte. */
export const Kind = { nothing: 0, json: 1, bytes: 2 } as const;

/**
 * Encodes a value. `undefined` and `null` stay different, and bytes stay bytes.
 *
 * @throws {TypeError} if the value is not JSON.
 */
export function encodeValue(value: unknown, what: string): Encoded {
  if (value === undefined || value instanceof Uint8Array) return value;
  if (value instanceof Ready) return value.encoded;
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
