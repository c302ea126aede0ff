/** Framing by record marking (RFC 5531, section 11). */

import { InvalidLengthError, MessageTooLargeError, TruncatedMessageError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  EMPTY,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { Gather } from "./gather.ts";
import { hint } from "./hint.ts";
import { canonical } from "./names.ts";

const HEADER_BYTES = 4;
const MAX_FRAGMENT_BYTES = 0x7fff_ffff;

/** Options of {@linkcode recordMarking}. */
export interface RecordMarkingOptions extends FramingOptions {
  /**
   * The largest fragment to send, in bytes. A longer message is sent in several.
   *
   * @default 2_147_483_647
   */
  maxFragmentBytes?: number;
}

/**
 * Frames messages by the record marking of ONC RPC over TCP (RFC 5531, section 11), as NFS uses it. A
 * message is a record. It is sent in fragments, each behind 4 bytes, most significant first: the highest
 * bit says whether the fragment is the last one of its record, the other 31 are its length. The
 * fragments of a record are put together. An empty fragment must be the last.
 *
 * @throws {RangeError} for an option out of range.
 *
 * @example One fragment
 * ```ts
 * import { recordMarking } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = recordMarking().encode(new Uint8Array([104, 105]));
 * assertEquals(frame, new Uint8Array([0x80, 0, 0, 2, 104, 105]));
 * ```
 */
export function recordMarking(options: RecordMarkingOptions = {}): Framing {
  const {
    maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
    maxFragmentBytes = MAX_FRAGMENT_BYTES,
  } = options;
  checkInteger("maxFragmentBytes", maxFragmentBytes, 1, MAX_FRAGMENT_BYTES);
  return new RecordFraming(maxFragmentBytes, checkLimit(maxMessageBytes));
}

class RecordFraming extends BaseFraming {
  readonly name: string;
  readonly #most: number;

  constructor(maxFragmentBytes: number, readonly maxMessageBytes: number) {
    super();
    this.#most = maxFragmentBytes;
    this.name = canonical("recordMarking", {
      maxFragmentBytes: maxFragmentBytes === MAX_FRAGMENT_BYTES ? undefined : maxFragmentBytes,
    });
  }

  withLimit(maxMessageBytes: number): Framing {
    return new RecordFraming(this.#most, checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new RecordDecoder(this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    const fragments = Math.max(1, Math.ceil(message.length / this.#most));
    return message.length + HEADER_BYTES * fragments;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    for (const part of this.encodeParts(message)) {
      target.set(part, at);
      at += part.length;
    }
    return at;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let at = 0;
    do {
      const rest = message.length - at;
      const bytes = Math.min(rest, this.#most);
      const header = new Uint8Array(HEADER_BYTES);
      new DataView(header.buffer).setUint32(0, bytes === rest ? bytes + 2 ** 31 : bytes);
      parts.push(header);
      if (bytes > 0) {
        parts.push(bytes === message.length ? message : message.subarray(at, at + bytes));
      }
      at += bytes;
    } while (at < message.length);
    return parts;
  }
}

/** The fragments of the record are in `#gather`; how much of the current one is missing, in `#missing`. */
class RecordDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #gather: Gather;
  #header = 0;
  #headerBytes = 0;
  #missing = 0;
  #isLast = true;
  /** Where we are: before or in a header, or in a fragment. */
  #state: "header" | "fragment" = "header";
  /** Bytes of the unfinished record, with its headers. */
  #pending = 0;
  #before = 0;
  #failure: unknown;

  constructor(maxMessageBytes: number, memory: Memory | undefined) {
    this.#maxBytes = maxMessageBytes;
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === "header") {
        at = this.#readHeader(chunk, at);
        if (this.#state === "header") break;
        if (this.#missing > 0 && at === chunk.length) break;
      }
      const bytes = Math.min(this.#missing, chunk.length - at);
      this.#missing -= bytes;
      this.#pending += bytes;
      const part = chunk.subarray(at, at + bytes);
      at += bytes;
      if (this.#missing > 0) {
        this.#gather.push(part);
        break;
      }
      this.#state = "header";
      if (this.#isLast) messages.push(this.#finish(part));
      else this.#gather.push(part);
    }
    this.#before += chunk.length;
    return messages;
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pending === 0) return messages;
    const inHeader = this.#state === "header";
    const missing = inHeader ? HEADER_BYTES - this.#headerBytes : this.#missing;
    const part = inHeader ? "header" : "body";
    throw this.#fail(new TruncatedMessageError(this.#pending, missing, part));
  }

  #readHeader(chunk: Uint8Array, at: number): number {
    while (this.#headerBytes < HEADER_BYTES) {
      if (at === chunk.length) return at;
      this.#header = (this.#header << 8 | chunk[at++]) >>> 0;
      this.#headerBytes++;
      this.#pending++;
    }
    const header = this.#header;
    this.#header = this.#headerBytes = 0;
    this.#isLast = header >= 2 ** 31;
    this.#missing = header & MAX_FRAGMENT_BYTES;
    this.#state = "fragment";
    const where = this.#before + at - HEADER_BYTES;
    if (this.#missing === 0 && !this.#isLast) {
      throw this.#fail(
        new InvalidLengthError(
          `Cannot receive message: the fragment at byte ${where} has length 0 and is not the last`,
        ),
      );
    }
    const size = this.#gather.bytes + this.#missing;
    if (size <= this.#maxBytes) return at;
    const first = Uint8Array.of(header >>> 24, header >>> 16, header >>> 8, header);
    const likely = hint(first) ?? `with the fragment at byte ${where}`;
    throw this.#fail(new MessageTooLargeError("receive", size, this.#maxBytes, likely));
  }

  #finish(part: Uint8Array): Uint8Array {
    this.#pending = 0;
    const whole = this.#gather.bytes === 0 ? part : this.#gather.take(0, part);
    return whole.length === 0 ? EMPTY : whole;
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    this.#pending = 0;
    return error;
  }
}
