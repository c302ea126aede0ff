/** Frames where their messages lie. */

import type { Framing } from "../codec.ts";

/** Writes the header into the memory before the message. Undefined if the header does not fit there. */
export function frameInPlace(message: Uint8Array, framing: Framing): Uint8Array | undefined {
  const header = framing.encodeHeader?.(message);
  if (header === undefined || header.length > message.byteOffset) return undefined;
  const start = message.byteOffset - header.length;
  const frame = new Uint8Array(message.buffer, start, header.length + message.length);
  frame.set(header);
  return frame;
}
