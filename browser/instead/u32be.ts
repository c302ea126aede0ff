/** Four bytes of length, the most significant first, in as few words as a page may load. */

import { MessageTooLargeError, TruncatedMessageError } from "../../errors.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  encodeWhole,
  type Framing,
} from "../../codec/framing.ts";
import { joined } from "../../connection/raw.ts";

const HEADER_BYTES = 4;

/** As `lengthPrefix()` without options. */
export function u32be(maxMessageBytes: number = DEFAULT_MAX_MESSAGE_BYTES): Framing {
  checkLimit(maxMessageBytes);
  const framing: Framing = {
    name: "u32be",
    maxMessageBytes,
    keepsBoundaries: true,
    withLimit: u32be,
    decoder: () => new U32beDecoder(maxMessageBytes),
    frameBytes: ({ length }) => HEADER_BYTES + length,
    encodeInto(message, target, at) {
      target.set(framing.encodeHeader!(message)!, at);
      target.set(message, at + HEADER_BYTES);
      return at + HEADER_BYTES + message.length;
    },
    encodeHeader({ length }) {
      return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
    },
    encodeParts: (message) => [framing.encodeHeader!(message)!, message],
    encode: (message) => encodeWhole(framing, message),
  };
  return framing;
}

class U32beDecoder implements Decoder {
  readonly #maxBytes: number;
  /** Chunks that complete no message yet. */
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** How many bytes must be there before it is worth to look again. */
  #needed = HEADER_BYTES;
  #error: Error | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#error !== undefined) throw this.#error;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#needed) {
      const bytes = joined(this.#chunks);
      this.#chunks = [bytes];
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (length > this.#maxBytes) {
        throw this.#error = new MessageTooLargeError("receive", length, this.#maxBytes);
      }
      const end = HEADER_BYTES + length;
      this.#needed = end;
      if (bytes.length < end) break;
      messages.push(bytes.subarray(HEADER_BYTES, end));
      this.#chunks = bytes.length === end ? [] : [bytes.subarray(end)];
      this.#bytes -= end;
      this.#needed = HEADER_BYTES;
    }
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#bytes > 0) {
      const part = this.#needed === HEADER_BYTES ? "header" : "body";
      throw new TruncatedMessageError(this.#bytes, this.#needed - this.#bytes, part);
    }
    return messages;
  }
}
