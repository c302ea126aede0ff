/** Framing by TPKT (RFC 1006, section 6). */

import { InvalidLengthError, InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming, limitOf } from "./base.ts";
import { checkLimit, type Decoder, type Framing, type FramingOptions } from "./framing.ts";
import { hint } from "./hint.ts";
import { canonical } from "./names.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";

const HEADER_BYTES = 4;
const VERSION = 3;
const MAX_FRAME_BYTES = 0xffff;

/** Options of {@linkcode tpkt}. */
export interface TpktOptions extends FramingOptions {
  /**
   * Whether a message contains its header, as with Erlang's `{packet, tpkt}`. Then the encoder checks
   * the version in it, and writes the length over what the message has there.
   *
   * @default false
   */
  keepHeader?: boolean;
}

/**
 * Frames messages as TPKT, which carries ISO transport over TCP (RFC 1006): RDP, H.323, S7, MMS. A
 * frame begins with a version, which is 3, and a reserved byte. Then comes its length in 2 bytes, most
 * significant first, which counts the 4 bytes of the header. A message has at most 65 531 bytes.
 *
 * @throws {RangeError} if the limit is out of range.
 *
 * @example Two bytes
 * ```ts
 * import { tpkt } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tpkt().encode(new Uint8Array([7, 8])), new Uint8Array([3, 0, 0, 6, 7, 8]));
 * ```
 */
export function tpkt(options: TpktOptions = {}): Framing {
  const { keepHeader = false } = options;
  const limit = limitOf("tpkt", options.maxMessageBytes, mostBytes(keepHeader));
  return new TpktFraming(keepHeader, limit);
}

function mostBytes(keepHeader: boolean): number {
  return keepHeader ? MAX_FRAME_BYTES : MAX_FRAME_BYTES - HEADER_BYTES;
}

class TpktFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective: boolean;
  readonly #keeps: boolean;

  constructor(keepHeader: boolean, readonly maxMessageBytes: number) {
    super();
    this.#keeps = keepHeader;
    this.isSelective = keepHeader;
    this.name = canonical("tpkt", { keepHeader: keepHeader || undefined });
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), mostBytes(this.#keeps));
    return new TpktFraming(this.#keeps, limit);
  }

  decoder(memory?: Memory): Decoder {
    return new TpktDecoder(this.#keeps, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    const { length } = message;
    const most = mostBytes(this.#keeps);
    if (length > most) throw new MessageTooLargeError("send", length, most, "framing tpkt");
    if (!this.#keeps) return HEADER_BYTES + length;
    if (length >= HEADER_BYTES && message[0] === VERSION) return length;
    throw new InvalidMessageError(
      `Cannot send message of ${length} bytes: it must begin with a TPKT header, version ${VERSION}`,
    );
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const start = this.#keeps ? at : at + HEADER_BYTES;
    const end = start + message.length;
    target.set(message, start);
    if (!this.#keeps) writeHeader(target, at);
    writeLength(target, at, end - at);
    return end;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const header = this.encodeHeader(message);
    return header === undefined ? [this.encode(message)] : [header, message];
  }

  encodeHeader(message: Uint8Array): Uint8Array | undefined {
    if (this.#keeps) return undefined;
    const header = new Uint8Array(HEADER_BYTES);
    const bytes = this.frameBytes(message);
    writeHeader(header, 0);
    writeLength(header, 0, bytes);
    return header;
  }
}

function writeHeader(target: Uint8Array, at: number): void {
  target[at] = VERSION;
  target[at + 1] = 0;
}

function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
}

class TpktDecoder extends PrefixDecoder {
  readonly #maxBytes: number;

  constructor(keepHeader: boolean, maxMessageBytes: number, memory: Memory | undefined) {
    super(HEADER_BYTES, HEADER_BYTES, memory);
    this.skip = keepHeader ? 0 : HEADER_BYTES;
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    if (chunk[at] !== VERSION) this.#refuseVersion(chunk, at, end);
    if (end - at < HEADER_BYTES) return -1;
    const length = chunk[at + 2] << 8 | chunk[at + 3];
    if (length < HEADER_BYTES) {
      throw new InvalidLengthError(
        `Cannot receive message: length ${length} at byte ${this.origin + at + 2} is too small, ` +
          `the header alone has ${HEADER_BYTES} bytes`,
      );
    }
    const size = length - this.skip;
    if (size > this.#maxBytes) {
      const where = `its length is at byte ${this.origin + at + 2}`;
      throw new MessageTooLargeError("receive", size, this.#maxBytes, where);
    }
    return length;
  }

  #refuseVersion(chunk: Uint8Array, at: number, end: number): never {
    const likely = hint(chunk.subarray(at, Math.min(end, at + 4)));
    throw new InvalidMessageError(
      `Cannot receive message: byte ${this.origin + at} is ${
        chunk[at]
      }, where a TPKT begins with ` +
        `version ${VERSION}${likely === undefined ? "" : ` (${likely})`}`,
    );
  }
}
