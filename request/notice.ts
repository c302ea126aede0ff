/** A notification as a message, and the look at one that somebody else has made. */

import { MessageReader } from "./message_reader.ts";
import { decodeValue, encodeValue } from "./values.ts";
import { encodeLastingNotify, encodeNotify, fitsName, Type } from "./wire.ts";

/** A notification that was read. */
export interface Notice {
  readonly method: string;
  readonly params: unknown;
}

const reader = new MessageReader();

/**
 * The message of a notification, which is valid until the next message is encoded.
 *
 * @throws {TypeError} if the name is above 255 bytes, or the params are not JSON.
 */
export function encodeNotice(method: string, params: unknown): Uint8Array {
  if (!fitsName(method)) throw tooLong(method);
  return encodeNotify(method, encodeValue(params, `params of ${method}`));
}

/**
 * As `encodeNotice()`, but the message does not change any more. A short one is a view of a block: who keeps
 * it for long should copy it.
 *
 * @throws {TypeError} as `encodeNotice()`.
 */
export function encodeLastingNotice(method: string, params: unknown): Uint8Array {
  if (!fitsName(method)) throw tooLong(method);
  return encodeLastingNotify(method, encodeValue(params, `params of ${method}`));
}

/** What is in a message, if it is a notification that every peer can read; else undefined. */
export function decodeNotice(message: Uint8Array): Notice | undefined {
  try {
    reader.open(message);
    if (reader.isAnswering || reader.type !== Type.notify) return undefined;
    const method = reader.shortText();
    return { method, params: decodeValue(reader.kind, reader.value()) };
  } catch {
    return undefined; // It is of another kind, cut, no UTF-8 or no JSON.
  }
}

/** The error for the name of a method that no message can have. */
export function tooLong(method: string): TypeError {
  return new TypeError(`Cannot request "${method.slice(0, 32)}…": its name is above 255 bytes`);
}
