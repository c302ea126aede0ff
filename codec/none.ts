/** No framing at all. */

import { checkInteger } from "../internal/check.ts";
import { BARE } from "./bare.ts";
import {
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";

/**
 * Gives each chunk as it came. It is for peers that have their own framing, or none. The boundaries
 * of messages are not kept. A chunk above `maxMessageBytes` is given in several pieces. An empty
 * message sends nothing.
 *
 * @throws {RangeError} for a limit out of range; it must be at least 1 here.
 */
export function none(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  checkInteger("maxMessageBytes", maxMessageBytes, 1, Number.MAX_SAFE_INTEGER);
  return {
    name: "none",
    maxMessageBytes,
    keepsBoundaries: false,
    withLimit: (limit) => none({ maxMessageBytes: limit }),
    decoder: () => new ChunkDecoder(maxMessageBytes),
    ...BARE,
  };
}

class ChunkDecoder implements Decoder {
  readonly pendingBytes = 0;

  constructor(readonly maxBytes: number) {}

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    for (let at = 0; at < chunk.length; at += this.maxBytes) {
      messages.push(chunk.subarray(at, at + this.maxBytes));
    }
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    return messages;
  }
}
