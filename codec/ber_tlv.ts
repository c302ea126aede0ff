/** Framing of ASN.1 values in the basic encoding rules (X.690). */

import { InvalidLengthError } from "../errors.ts";
import type { Framing } from "./framing.ts";
import { FrameScanner } from "./scan_decoder.ts";
import { nested, type NestedOptions } from "./scanned.ts";

/** The bit of a tag that says that the value consists of values. */
const CONSTRUCTED = 0x20;
/** A tag whose number is in the bytes that follow it. */
const LONG_TAG = 0x1f;
const INDEFINITE = 0x80;
const RESERVED = 0xff;
const MAX_TAG_BYTES = 10;
const MAX_LENGTH_BYTES = 8;

/**
 * Frames messages as ASN.1 values in the basic encoding rules (X.690), so in DER and CER, too: LDAP,
 * SNMP, Kerberos. A message is a whole value with its tag and its length. The length may be definite, in
 * its shortest or a longer form up to 8 bytes, or indefinite: then the value is whole with the
 * end-of-contents that belongs to it, however many others lie in it. What lies in a definite length is
 * not looked at.
 *
 * A message that is not exactly one value cannot be sent. A tag has up to 10 bytes.
 *
 * @throws {RangeError} for a limit out of range.
 *
 * @example A definite and an indefinite length
 * ```ts
 * import { berTlv } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const integer = new Uint8Array([0x02, 0x01, 0x2a]);
 * const sequence = new Uint8Array([0x30, 0x80, ...integer, ...integer, 0x00, 0x00]);
 * const decoder = berTlv().decoder();
 * assertEquals(decoder.decode(new Uint8Array([...integer, ...sequence])), [integer, sequence]);
 * ```
 */
export function berTlv(options: NestedOptions = {}): Framing {
  return nested(options, {
    kind: "berTlv",
    what: "one BER value",
    scanner: (limit, verb, maxDepth) => new BerScanner(limit, verb, maxDepth),
  });
}

class BerScanner extends FrameScanner {
  #state: "tag" | "long tag" | "length" | "long length" | "contents" | "end of contents" = "tag";
  /** How many values of indefinite length are open. */
  #depth = 0;
  #isConstructed = false;
  #tagBytes = 0;
  /** Bytes of the length that are still to come. */
  #lengthBytes = 0;
  #length = 0;
  /** Bytes of the contents that are still to come. */
  #left = 0;

  constructor(
    maxMessageBytes: number,
    verb: "send" | "receive",
    readonly maxDepth: number,
  ) {
    super(maxMessageBytes, 0, verb);
  }

  override scan(bytes: Uint8Array, at: number, end: number, origin: number): number {
    while (at < end) {
      if (this.#state === "contents") {
        const step = Math.min(this.#left, end - at);
        this.#left -= step;
        at += step;
        if (this.#left > 0) return -1;
      } else {
        this.#step(bytes[at], at + origin);
        at++;
      }
      if (this.#state === "contents" && this.#left === 0) {
        this.#state = "tag";
        if (this.#depth === 0) return at;
      }
    }
    return -1;
  }

  override missing(offset: number): number {
    if (this.#depth === 0) return super.missing(offset);
    if (this.#state === "end of contents") return 2 * this.#depth - 1;
    const header = this.#state === "long tag" ? 2 : this.#state === "length" ? 1 : 0;
    return header + this.#lengthBytes + this.#left + 2 * this.#depth;
  }

  /** Takes a byte of a header. */
  #step(byte: number, offset: number): void {
    switch (this.#state) {
      case "tag":
        this.#tag(byte, offset);
        break;
      case "long tag":
        if (++this.#tagBytes > MAX_TAG_BYTES) {
          this.refuse(
            `its tag has ${this.#tagBytes} bytes ${
              this.at(offset)
            }: limit is ${MAX_TAG_BYTES} bytes`,
          );
        }
        if (this.#tagBytes === 2 && byte === 0x80) {
          this.refuseByte(byte, offset, "a tag without leading zeros");
        }
        if (byte < 0x80) this.#state = "length";
        break;
      case "length":
        this.#firstOfLength(byte, offset);
        break;
      case "long length":
        this.#length = this.#length * 256 + byte;
        if (--this.#lengthBytes === 0) this.#begin(this.#length, offset + 1);
        break;
      case "end of contents":
        if (byte !== 0) this.refuseByte(byte, offset, "0x00, the length of an end-of-contents,");
        this.#depth--;
        this.#left = 0;
        this.#state = "contents";
    }
  }

  #tag(byte: number, offset: number): void {
    this.#tagBytes = 1;
    this.#isConstructed = (byte & CONSTRUCTED) !== 0;
    if (byte === 0) {
      if (this.#depth === 0) this.refuseByte(byte, offset, "a tag");
      this.#state = "end of contents";
    } else {
      this.#state = (byte & LONG_TAG) === LONG_TAG ? "long tag" : "length";
    }
  }

  #firstOfLength(byte: number, offset: number): void {
    if (byte < INDEFINITE) {
      this.#begin(byte, offset + 1);
    } else if (byte === INDEFINITE) {
      if (!this.#isConstructed) {
        this.#refuseLength(`is indefinite ${this.at(offset)}, but its value is primitive`);
      }
      if (this.#depth === this.maxDepth) {
        this.refuse(
          `it is nested ${this.#depth + 1} levels deep ${this.at(offset)}: ` +
            `limit is ${this.#depth} levels`,
        );
      }
      this.#depth++;
      this.#state = "tag";
    } else {
      if (byte === RESERVED) this.#refuseLength(`is 0xff ${this.at(offset)}, which is reserved`);
      this.#lengthBytes = byte & 0x7f;
      if (this.#lengthBytes > MAX_LENGTH_BYTES) {
        this.#refuseLength(
          `has ${this.#lengthBytes} bytes ${this.at(offset)}: limit is ${MAX_LENGTH_BYTES} bytes`,
        );
      }
      this.#length = 0;
      this.#state = "long length";
    }
  }

  /** The contents begin at an offset. */
  #begin(length: number, offset: number): void {
    const size = offset + length + 2 * this.#depth;
    if (size > this.maxMessageBytes) this.refuseSize(size);
    if (this.#depth === 0) this.total = size;
    this.#left = length;
    this.#state = "contents";
  }

  #refuseLength(what: string): never {
    throw new InvalidLengthError(`Cannot ${this.verb} message: its length ${what}`);
  }
}
