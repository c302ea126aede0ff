/** Framing by WebSocket frames (RFC 6455, section 5). */

import type { Decoder, EndInfo, Framing, FramingOptions } from "../../codec.ts";
import { checkLimit, DEFAULT_MAX_MESSAGE_BYTES, EMPTY } from "../../codec/internal.ts";
import { encodeCloseBody } from "./close.ts";
import { type Inflate, WebSocketDecoder } from "./decoder.ts";
import { mask, newKey, writeKey } from "./mask.ts";
import { BINARY, CLOSE, FINAL, MASKED, PING, PONG, TEXT } from "./opcodes.ts";
import { isUtf8 } from "./text.ts";
import type { Memory } from "../../internal/memory.ts";
import { isText as isMarked } from "../../internal/text_mark.ts";

/** Options of {@linkcode webSocketFraming}. */
export interface WebSocketFramingOptions extends FramingOptions {
  /** Whether this end is the client: a client must mask what it sends. */
  masks: boolean;
}

/**
 * Frames messages as WebSocket does after its handshake. Each message becomes one frame: a text
 * frame if it was given as a string or is known to be text, otherwise a binary frame. Messages from the
 * peer may be fragmented. `decoder.takeReply()` gives the answers to pings, and `decoder.ended` what
 * the peer's Close frame says.
 *
 * @throws {RangeError} if the limit is out of range.
 */
export function webSocketFraming(options: WebSocketFramingOptions): WebSocketFraming {
  const { masks, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return new WebSocketFraming(masks, checkLimit(maxMessageBytes));
}

/** See {@linkcode webSocketFraming}. */
export class WebSocketFraming implements Framing {
  readonly name = "websocket";
  readonly keepsBoundaries = true;
  readonly #keyBytes: 0 | 4;

  constructor(readonly masks: boolean, readonly maxMessageBytes: number) {
    this.#keyBytes = masks ? 4 : 0;
  }

  withLimit(maxMessageBytes: number): WebSocketFraming {
    return new WebSocketFraming(this.masks, checkLimit(maxMessageBytes));
  }

  /** With `inflate`, messages may be compressed. */
  decoder(memory?: Memory, inflate?: Inflate): Decoder {
    const pong = (body: Uint8Array) => this.#encode(PONG, body);
    return new WebSocketDecoder(!this.masks, this.maxMessageBytes, pong, memory, inflate);
  }

  frameBytes({ length }: Uint8Array): number {
    return (length < 126 ? 2 : length < 65_536 ? 4 : 10) + this.#keyBytes + length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number, isText?: boolean): number {
    return this.#write(opcodeOf(message, isText), message, target, at);
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    const header = this.encodeHeader(message, isText);
    return header === undefined ? [this.encode(message, isText)] : [header, message];
  }

  encodeHeader(message: Uint8Array, isText?: boolean): Uint8Array | undefined {
    if (this.masks) return undefined;
    const header = new Uint8Array(this.frameBytes(message) - message.length);
    this.#writeHeader(opcodeOf(message, isText), message.length, header, 0);
    return header;
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    return this.#encode(opcodeOf(message, isText), message);
  }

  encodeEnd(info: EndInfo): Uint8Array {
    return this.#encode(CLOSE, encodeCloseBody(info));
  }

  encodePing(): Uint8Array {
    return this.#encode(PING, EMPTY);
  }

  #encode(opcode: number, body: Uint8Array): Uint8Array {
    const frame = new Uint8Array(this.frameBytes(body));
    this.#write(opcode, body, frame, 0);
    return frame;
  }

  #write(opcode: number, body: Uint8Array, target: Uint8Array, offset: number): number {
    const start = this.#writeHeader(opcode, body.length, target, offset);
    const end = start + body.length;
    target.set(body, start);
    if (this.masks) {
      const key = newKey();
      writeKey(target, start - 4, key);
      mask(target, start, end, key);
    }
    return end;
  }

  /** Returns where the body begins: behind the header and the four bytes for the key, if it masks. */
  #writeHeader(opcode: number, length: number, target: Uint8Array, at: number): number {
    const masked = this.masks ? MASKED : 0;
    target[at++] = FINAL | opcode;
    if (length < 126) {
      target[at++] = masked | length;
    } else if (length < 65_536) {
      target[at++] = masked | 126;
      target[at++] = length >>> 8;
      target[at++] = length;
    } else {
      target[at++] = masked | 127;
      const high = Math.floor(length / 2 ** 32);
      for (const part of [high, length]) {
        target[at++] = part >>> 24;
        target[at++] = part >>> 16;
        target[at++] = part >>> 8;
        target[at++] = part;
      }
    }
    return at + this.#keyBytes;
  }
}

function opcodeOf(message: Uint8Array, isText: boolean | undefined): number {
  return isSentAsText(message, isText) ? TEXT : BINARY;
}

/**
 * Whether a message is sent as text: it was given as a string, or is known to be text. That which came
 * as text may have been changed since, and a peer takes no text that is not UTF-8.
 */
export function isSentAsText(message: Uint8Array, isText: boolean | undefined): boolean {
  return isText || isMarked(message) && isUtf8(message);
}
