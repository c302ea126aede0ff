/**
 * Compressed messages (RFC 7692). Loaded only where both ends have agreed on it.
 *
 * Each message is compressed by itself, without what came before it ("no context takeover"): a
 * context would take some 300 KiB for each connection, and a frame could not be shared by many.
 */

import { builtin } from "../../internal/runtime/builtin.ts";
import { concat } from "@std/bytes";
import type { Decoder, EndInfo, Framing } from "../../codec.ts";
import { InvalidMessageError, MessageTooLargeError } from "../../errors.ts";
import { MAX_INT32 } from "../../internal/check.ts";
import type { Memory } from "../../internal/memory.ts";
import { isSentAsText, type WebSocketFraming } from "./framing.ts";
import { COMPRESSED } from "./opcodes.ts";

const { constants, deflateRawSync, inflateRawSync } = builtin("node:zlib");

/** Shorter messages hardly become shorter. Longer ones would keep all other connections waiting. */
const MIN_BYTES = 1024;
const MAX_BYTES = 4 * 1024 * 1024;
/** Three quarters of the work of the default, 6, and nearly the same size. */
const LEVEL = 3;
/** zlib makes no raw stream with a smaller window. */
const MIN_WINDOW_BITS = 9;
/** The end of a flushed stream, which is not sent. */
const TAIL = new Uint8Array([0, 0, 0xff, 0xff]);
/** The most that zlib may be asked for. */
const MAX_OUTPUT = MAX_INT32;

/**
 * A framing that compresses what becomes shorter by it. `windowBits` limits how far back it may refer;
 * with 8 nothing is compressed. Both ways, a message's limit is about its bytes before and after.
 */
export function deflated(plain: WebSocketFraming, windowBits: number): Framing {
  return new DeflatedFraming(plain, windowBits);
}

class DeflatedFraming implements Framing {
  readonly name = "websocket";
  readonly keepsBoundaries = true;
  readonly maxMessageBytes: number;
  readonly #plain: WebSocketFraming;
  readonly #windowBits: number;
  /** The message that `frameBytes()` was asked for, to be written next, and what it becomes. */
  #next: Uint8Array | undefined;
  #nextBody: Uint8Array | undefined;

  constructor(plain: WebSocketFraming, windowBits: number) {
    this.#plain = plain;
    this.#windowBits = windowBits;
    this.maxMessageBytes = plain.maxMessageBytes;
  }

  withLimit(maxMessageBytes: number): Framing {
    return new DeflatedFraming(this.#plain.withLimit(maxMessageBytes), this.#windowBits);
  }

  decoder(memory?: Memory): Decoder {
    return this.#plain.decoder(memory, inflate);
  }

  frameBytes(message: Uint8Array): number {
    this.#next = message;
    this.#nextBody = this.#deflate(message);
    return this.#plain.frameBytes(this.#nextBody ?? message);
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number, isText?: boolean): number {
    const body = this.#bodyOf(message);
    if (body === undefined) return this.#plain.encodeInto(message, target, at, isText);
    const end = this.#plain.encodeInto(body, target, at, isSentAsText(message, isText));
    target[at] |= COMPRESSED;
    return end;
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    const body = this.#bodyOf(message);
    if (body === undefined) return this.#plain.encodeParts(message, isText);
    const frame = this.#plain.encode(body, isSentAsText(message, isText));
    frame[0] |= COMPRESSED;
    return [frame];
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    return concat(this.encodeParts(message, isText));
  }

  encodeEnd(info: EndInfo): Uint8Array {
    return this.#plain.encodeEnd(info);
  }

  encodePing(): Uint8Array {
    return this.#plain.encodePing();
  }

  /** What is sent in the place of a message; undefined if that is the message. */
  #bodyOf(message: Uint8Array): Uint8Array | undefined {
    const body = this.#next === message ? this.#nextBody : this.#deflate(message);
    this.#next = this.#nextBody = undefined;
    return body;
  }

  #deflate(message: Uint8Array): Uint8Array | undefined {
    const { length } = message;
    const windowBits = this.#windowBits;
    if (length < MIN_BYTES || length > MAX_BYTES || windowBits < MIN_WINDOW_BITS) return undefined;
    const finishFlush = constants.Z_SYNC_FLUSH;
    const body = deflateRawSync(message, { level: LEVEL, windowBits, finishFlush });
    const bytes = body.length - TAIL.length;
    return bytes < length ? new Uint8Array(body.buffer, body.byteOffset, bytes) : undefined;
  }
}

/**
 * The message that was compressed. Stops at the limit, and so takes no more memory than that.
 *
 * @throws {MessageTooLargeError} if it has more bytes than the limit.
 * @throws {InvalidMessageError} if it was not compressed like that.
 */
function inflate(body: Uint8Array, maxBytes: number): Uint8Array {
  try {
    const { buffer, byteOffset, length } = inflateRawSync(concat([body, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: Math.min(Math.max(maxBytes, 1), MAX_OUTPUT),
    });
    if (length <= maxBytes) return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ERR_BUFFER_TOO_LARGE") {
      throw new InvalidMessageError("Cannot receive message: it cannot be inflated", { cause });
    }
  }
  throw new MessageTooLargeError("receive", maxBytes + 1, maxBytes, "inflated so far");
}
