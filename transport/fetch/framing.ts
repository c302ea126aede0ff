/** What stands between a connection and a WebSocket that the runtime speaks. */

import type { Decoder, EndInfo, Framing } from "../../codec.ts";
import { checkLimit, whole } from "../../codec/internal.ts";
import { isText as isMarked } from "../../internal/text_mark.ts";
import { encodeCloseBody } from "../websocket/close.ts";

/** The first byte of what is written: what follows is a message, or the body of a Close frame. */
export const Kind = { bytes: 0, text: 1, close: 2 } as const;

/**
 * The runtime frames messages and takes them out of their frames. So what arrives is a message, and what
 * is written is a message behind one byte that tells what it is. It has no Ping: the runtime asks by
 * itself, or nobody does.
 */
export class SocketFraming implements Framing {
  readonly name = "websocket";
  readonly keepsBoundaries = true;
  readonly isApart = true;
  readonly maxMessageBytes: number;

  /** Accepts messages up to a limit. */
  constructor(maxMessageBytes: number) {
    this.maxMessageBytes = checkLimit(maxMessageBytes);
  }

  withLimit(maxMessageBytes: number): SocketFraming {
    return new SocketFraming(maxMessageBytes);
  }

  decoder(): Decoder {
    return whole(this.maxMessageBytes).decoder();
  }

  frameBytes({ length }: Uint8Array): number {
    return length + 1;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number, isText?: boolean): number {
    target[at] = isText || isMarked(message) ? Kind.text : Kind.bytes;
    target.set(message, at + 1);
    return at + 1 + message.length;
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    return [this.encode(message, isText)];
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    const frame = new Uint8Array(message.length + 1);
    this.encodeInto(message, frame, 0, isText);
    return frame;
  }

  encodeEnd(info: EndInfo): Uint8Array {
    const body = encodeCloseBody(info);
    const frame = new Uint8Array(body.length + 1);
    frame[0] = Kind.close;
    frame.set(body, 1);
    return frame;
  }
}

/** Connections set their own limit. One framing for all, so that settings are made only once. */
export const SOCKET_FRAMING: Framing = new SocketFraming(Number.MAX_SAFE_INTEGER);
