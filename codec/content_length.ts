/** Framing by a header with Content-Length, as language servers and debuggers use it. */

import { InvalidMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import { ContentLengthDecoder } from "./content_length_decoder.ts";
import { headerEnd, MAX_HEADER_BYTES, readHeader } from "./content_length_header.ts";
import { decimalDigits, writeDecimal } from "./decimal.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { canonical } from "./names.ts";

const START = /* @__PURE__ */ Uint8Array.from("Content-Length: ", (sign) => sign.charCodeAt(0));
const CR = 0x0d;
const LF = 0x0a;
const END_BYTES = 4;

/** Options of {@linkcode contentLength}. */
export interface ContentLengthOptions extends FramingOptions {
  /**
   * Whether a message contains its header. Then a message that is sent must begin with one, whose
   * length is right.
   *
   * @default false
   */
  keepHeader?: boolean;
}

/**
 * Frames messages by a header as HTTP has them: lines `Name: value`, each with CRLF, and an empty line.
 * The Language Server Protocol ("Base protocol") and the Debug Adapter Protocol use it.
 * `Content-Length` is the size of the message in bytes. It must be there once; upper and lower case are
 * the same. Other fields, such as `Content-Type`, are dropped, or kept in the message with
 * `keepHeader`. A header has at most 8 KiB.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example One message
 * ```ts
 * import { contentLength } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = contentLength().encode(new TextEncoder().encode("{}"));
 * assertEquals(new TextDecoder().decode(frame), "Content-Length: 2\r\n\r\n{}");
 * ```
 */
export function contentLength(options: ContentLengthOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, keepHeader = false } = options;
  return new ContentLengthFraming(keepHeader, checkLimit(maxMessageBytes));
}

class ContentLengthFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective: boolean;
  readonly #keeps: boolean;

  constructor(keepHeader: boolean, readonly maxMessageBytes: number) {
    super();
    this.#keeps = keepHeader;
    this.isSelective = keepHeader;
    this.name = canonical("contentLength", { keepHeader: keepHeader || undefined });
  }

  withLimit(maxMessageBytes: number): Framing {
    return new ContentLengthFraming(this.#keeps, checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new ContentLengthDecoder(this.#keeps, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    if (!this.#keeps) {
      return START.length + decimalDigits(message.length) + END_BYTES + message.length;
    }
    checkKept(message);
    return message.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    if (!this.#keeps) at = writeHeader(message.length, target, at);
    target.set(message, at);
    return at + message.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const header = this.encodeHeader(message);
    return header === undefined ? [message] : [header, message];
  }

  encodeHeader(message: Uint8Array): Uint8Array | undefined {
    const bytes = this.frameBytes(message) - message.length;
    if (this.#keeps) return undefined;
    const header = new Uint8Array(bytes);
    writeHeader(message.length, header, 0);
    return header;
  }
}

function writeHeader(length: number, target: Uint8Array, at: number): number {
  target.set(START, at);
  at = writeDecimal(length, target, at + START.length);
  target[at] = target[at + 2] = CR;
  target[at + 1] = target[at + 3] = LF;
  return at + END_BYTES;
}

/** Checks that a message is a header and as many bytes as it says. */
function checkKept(message: Uint8Array): void {
  const end = headerEnd(message.subarray(0, MAX_HEADER_BYTES));
  if (end < 0) {
    throw new InvalidMessageError(
      `Cannot send message of ${message.length} bytes: it must begin with a header and an empty line`,
    );
  }
  let said: number;
  try {
    said = readHeader(message.subarray(0, end), 0, Number.MAX_SAFE_INTEGER);
  } catch (cause) {
    const why = "the header at its start is wrong";
    throw new InvalidMessageError(`Cannot send message of ${message.length} bytes: ${why}`, {
      cause,
    });
  }
  if (said === message.length - end) return;
  throw new InvalidMessageError(
    `Cannot send message of ${message.length} bytes: its header says ${said} bytes, but ` +
      `${message.length - end} follow`,
  );
}
