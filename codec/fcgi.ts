/** Framing by records of FastCGI. */

import { InvalidMessageError, MessageTooLargeError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming, limitOf } from "./base.ts";
import { checkLimit, type Decoder, type Framing, type FramingOptions } from "./framing.ts";
import { hint } from "./hint.ts";
import { canonical } from "./names.ts";
import { PrefixDecoder } from "./prefix_decoder.ts";

const HEADER_BYTES = 8;
const VERSION = 1;
/** Where the header tells the padding. */
const PADDING = 6;
const MAX_CONTENT_BYTES = 0xffff;
const MAX_PADDING_BYTES = 0xff;

/** Options of {@linkcode fcgi}. */
export interface FcgiOptions extends FramingOptions {
  /**
   * Whether a message contains the padding behind its content. If not, the padding is dropped, and the
   * header in the message says that there is none.
   *
   * @default false
   */
  keepPadding?: boolean;
}

/**
 * Frames messages as FastCGI records (FastCGI 1.0, section 3.3). A message is a record with its header
 * of 8 bytes, because type and request are in it: version 1, type, request id (2 bytes), length of the
 * content (2 bytes), length of the padding, a reserved byte. The encoder writes the length of the
 * content. Without `keepPadding` it sends no padding.
 *
 * @throws {RangeError} if the limit is out of range.
 *
 * @example A record with padding
 * ```ts
 * import { fcgi } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const record = new Uint8Array([1, 5, 0, 1, 0, 2, 3, 0, 104, 105, 0, 0, 0]);
 * const [message] = fcgi().decoder().decode(record);
 * assertEquals(message, new Uint8Array([1, 5, 0, 1, 0, 2, 0, 0, 104, 105]));
 * ```
 */
export function fcgi(options: FcgiOptions = {}): Framing {
  const { keepPadding = false } = options;
  const limit = limitOf("fcgi", options.maxMessageBytes, mostBytes(keepPadding));
  return new FcgiFraming(keepPadding, limit);
}

function mostBytes(keepPadding: boolean): number {
  return HEADER_BYTES + MAX_CONTENT_BYTES + (keepPadding ? MAX_PADDING_BYTES : 0);
}

class FcgiFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective = true;
  readonly #keeps: boolean;

  constructor(keepPadding: boolean, readonly maxMessageBytes: number) {
    super();
    this.#keeps = keepPadding;
    this.name = canonical("fcgi", { keepPadding: keepPadding || undefined });
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), mostBytes(this.#keeps));
    return new FcgiFraming(this.#keeps, limit);
  }

  decoder(memory?: Memory): Decoder {
    const records = new RecordDecoder(this.#keeps, this.maxMessageBytes, memory);
    return this.#keeps ? records : new UnpaddedDecoder(records);
  }

  frameBytes(message: Uint8Array): number {
    const { length } = message;
    if (length < HEADER_BYTES || message[0] !== VERSION) {
      throw new InvalidMessageError(
        `Cannot send message of ${length} bytes: it must begin with a FastCGI header, version ${VERSION}`,
      );
    }
    const padding = message[PADDING];
    if (this.#keeps ? length < HEADER_BYTES + padding : padding > 0) {
      const has = this.#keeps ? `has not the ${padding} bytes of` : `announces ${padding} bytes of`;
      throw new InvalidMessageError(`Cannot send message of ${length} bytes: it ${has} padding`);
    }
    const most = HEADER_BYTES + MAX_CONTENT_BYTES + padding;
    if (length > most) throw new MessageTooLargeError("send", length, most, "framing fcgi");
    return length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const content = message.length - HEADER_BYTES - message[PADDING];
    target.set(message, at);
    target[at + 4] = content >>> 8;
    target[at + 5] = content;
    return at + message.length;
  }
}

class RecordDecoder extends PrefixDecoder {
  readonly #keeps: boolean;
  readonly #maxBytes: number;

  constructor(keepPadding: boolean, maxMessageBytes: number, memory: Memory | undefined) {
    super(HEADER_BYTES, HEADER_BYTES, memory);
    this.#keeps = keepPadding;
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    if (chunk[at] !== VERSION) this.#refuseVersion(chunk, at, end);
    if (end - at < HEADER_BYTES) return -1;
    const padding = chunk[at + PADDING];
    const total = HEADER_BYTES + (chunk[at + 4] << 8 | chunk[at + 5]) + padding;
    this.tail = this.#keeps ? 0 : padding;
    const size = total - this.tail;
    if (size > this.#maxBytes) {
      const where = `its length is at byte ${this.origin + at + 4}`;
      throw new MessageTooLargeError("receive", size, this.#maxBytes, where);
    }
    return total;
  }

  #refuseVersion(chunk: Uint8Array, at: number, end: number): never {
    const likely = hint(chunk.subarray(at, Math.min(end, at + 4)));
    throw new InvalidMessageError(
      `Cannot receive message: byte ${this.origin + at} is ${chunk[at]}, where a FastCGI record ` +
        `begins with version ${VERSION}${likely === undefined ? "" : ` (${likely})`}`,
    );
  }
}

/** Says in the header of records that there is no padding. A record that had some is copied once. */
class UnpaddedDecoder implements Decoder {
  readonly #records: RecordDecoder;

  constructor(records: RecordDecoder) {
    this.#records = records;
  }

  get pendingBytes(): number {
    return this.#records.pendingBytes;
  }

  readTarget(bytes: number): Uint8Array | undefined {
    return this.#records.readTarget(bytes);
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    const before = messages.length;
    try {
      return this.#records.decode(chunk, messages);
    } finally {
      for (let n = before; n < messages.length; n++) messages[n] = unpadded(messages[n]);
    }
  }

  end(messages?: Uint8Array[]): Uint8Array[] {
    return this.#records.end(messages);
  }
}

function unpadded(record: Uint8Array): Uint8Array {
  if (record[PADDING] === 0) return record;
  // A chunk is not changed, because another framing may have to decode it anew.
  const copy = record.slice();
  copy[PADDING] = 0;
  return copy;
}
