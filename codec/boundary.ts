/** Where messages end in a stream, for every framing. */

import type { Decoder, Framing } from "./framing.ts";

/** How many of the bytes that a decoder got lie behind the last message that it gave. */
export function tailOf(decoder: Decoder): number {
  return decoder.tailBytes ?? decoder.pendingBytes;
}

/**
 * The number of bytes with which the first `count` messages of `bytes` end. `bytes` begins where a
 * message begins, and has as many. This works for any framing: it looks for the shortest beginning that
 * gives so many messages.
 */
export function endOfMessages(bytes: Uint8Array, count: number, framing: Framing): number {
  let enough = bytes.length;
  for (let tooFew = 0; enough - tooFew > 1;) {
    const middle = (tooFew + enough) >>> 1;
    if (decodeStart(bytes, middle, framing).messages >= count) enough = middle;
    else tooFew = middle;
  }
  return enough - decodeStart(bytes, enough, framing).tailBytes;
}

/** What a new decoder makes of the first bytes. */
function decodeStart(
  bytes: Uint8Array,
  end: number,
  framing: Framing,
): { messages: number; tailBytes: number } {
  const decoder = framing.decoder();
  const messages: Uint8Array[] = [];
  try {
    decoder.decode(bytes.subarray(0, end), messages);
  } catch {
    // What is wrong comes after the messages, which are in the array.
    return { messages: messages.length, tailBytes: 0 };
  }
  return { messages: messages.length, tailBytes: tailOf(decoder) };
}
