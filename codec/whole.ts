/** For transports that carry whole messages themselves. */

import { MessageTooLargeError } from "../errors.ts";
import { BARE } from "./bare.ts";
import { checkLimit, type Decoder, DEFAULT_MAX_MESSAGE_BYTES, type Framing } from "./framing.ts";

/** Each chunk is a message, each write one too: what UDP does with datagrams. */
export function whole(maxMessageBytes: number = DEFAULT_MAX_MESSAGE_BYTES): Framing {
  checkLimit(maxMessageBytes);
  return {
    name: "whole",
    maxMessageBytes,
    keepsBoundaries: true,
    isApart: true,
    withLimit: whole,
    decoder: () => new WholeDecoder(maxMessageBytes),
    ...BARE,
  };
}

class WholeDecoder implements Decoder {
  readonly pendingBytes = 0;

  constructor(readonly maxBytes: number) {}

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (chunk.length > this.maxBytes) {
      throw new MessageTooLargeError("receive", chunk.length, this.maxBytes);
    }
    messages.push(chunk);
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    return messages;
  }
}
