/** Decodes messages about requests, field by field; docs/requests.md describes them. */

import { InvalidMessageError, ProtocolError } from "../errors.ts";
import type { TraceContext } from "../internal/telemetry.ts";
import { quoted } from "../internal/text.ts";
import { readVarint, varintEnd } from "../internal/varint.ts";
import { decodeName, decodeText } from "../internal/runtime/short_text.ts";
import { type Allowance, ANSWERING, LEAST, MAGIC, TAKES_TRACES, Type, VERSION } from "./wire.ts";

/** Seven groups of seven bits, and four bits for 2^53. */
const MAX_VARINT_BYTES = 8;
const NOTHING = new Uint8Array();

/**
 * Reads a message, field by field.
 *
 * Every method throws an `InvalidMessageError` if the message ends too early or the field is not valid.
 * Then the peer speaks another protocol, and nothing that it sends can be trusted.
 */
export class MessageReader {
  /** The type of the message, with the flags of REQUEST. */
  type = 0;
  /** The kind of the value. */
  kind = 0;
  /** Whether the message is about a request of this end, which the peer answers. */
  isAnswering = false;
  #message: Uint8Array = NOTHING;
  #at = 0;

  /** Starts to read a message. */
  open(message: Uint8Array): void {
    if (message.length === 0) throw new InvalidMessageError("Cannot read message: it is empty");
    const first = message[0];
    this.#message = message;
    this.#at = 1;
    this.type = first & 0x1f;
    this.kind = first >> 5 & 3;
    this.isAnswering = first >= ANSWERING;
    if (this.kind === 3) throw this.#invalid("its value is of no known kind");
  }

  /** The content of HELLO. Further bytes behind it are reserved for later versions. */
  hello(): Allowance {
    const message = this.#message;
    if (message[0] !== Type.hello || MAGIC.some((byte, i) => message[i + 1] !== byte)) {
      throw new ProtocolError(
        `Cannot make requests: the peer's first message${quoted(message)} is no HELLO`,
      );
    }
    if (message[5] !== VERSION) {
      throw new ProtocolError(
        `Cannot make requests: the peer speaks version ${message[5]}, this end ${VERSION}`,
      );
    }
    this.#at = 6;
    const allowance = {
      requests: this.varint(),
      bytes: this.varint(),
      messageBytes: this.varint(),
      takesTraces: (message[this.#at] & TAKES_TRACES) !== 0, // An end that knows none ends here.
    };
    if (allowance.requests < LEAST.requests || allowance.bytes < LEAST.bytes) {
      throw this.#invalid(
        `it allows ${allowance.requests} requests of ${allowance.bytes} bytes, ` +
          `the least is ${LEAST.requests} of ${LEAST.bytes}`,
      );
    }
    return allowance;
  }

  /** A number from 0 to 2^53 - 1. */
  varint(): number {
    const start = this.#at;
    const last = Math.min(this.#message.length, start + MAX_VARINT_BYTES);
    const end = varintEnd(this.#message, start, last);
    if (end < 0 && last - start < MAX_VARINT_BYTES) throw this.#invalid("it ends within a number");
    const value = end < 0 ? Infinity : readVarint(this.#message, start, end);
    if (value > Number.MAX_SAFE_INTEGER) throw this.#invalid("a number is above 2^53 - 1");
    this.#at = end;
    return value;
  }

  /** A text behind a length of one byte. */
  shortText(): string {
    if (this.#at >= this.#message.length) throw this.#invalid("it ends before a text");
    return this.#text(this.#message[this.#at++], decodeName);
  }

  /** A text behind a length of two bytes, the high byte first. */
  text(): string {
    const at = this.#at;
    this.#at += 2;
    if (this.#at > this.#message.length) throw this.#invalid("it ends before a text");
    return this.#text(this.#message[at] << 8 | this.#message[at + 1], decodeText);
  }

  #text(length: number, decode: typeof decodeText): string {
    const start = this.#at;
    if (length > this.#message.length - start) throw this.#invalid("it ends within a text");
    this.#at += length;
    try {
      return decode(this.#message, start, this.#at);
    } catch {
      throw this.#invalid("a text is not UTF-8");
    }
  }

  /** A trace context. What is in it is for whoever traces, and so is what is wrong with it. */
  trace(): TraceContext {
    return { traceparent: this.shortText(), tracestate: this.text() };
  }

  /** The bytes of the value: the rest of the message. */
  value(): Uint8Array {
    const bytes = this.#message.subarray(this.#at);
    if (this.kind === 0 && bytes.length > 0) throw this.#invalid("bytes follow its end");
    return bytes;
  }

  /** Checks that nothing is left and that there is no value. */
  end(): void {
    if (this.kind !== 0 || this.#at < this.#message.length) {
      throw this.#invalid("bytes follow its end");
    }
  }

  /** The error for a message that does not fit the request that it is about. */
  misfit(id: number): ProtocolError {
    return new ProtocolError(
      `Cannot take message of type 0x${this.type.toString(16)} for request ${id}: it does not fit`,
    );
  }

  #invalid(state: string): InvalidMessageError {
    const type = this.#message[0].toString(16).padStart(2, "0");
    return new InvalidMessageError(`Cannot read message of type 0x${type}: ${state}`);
  }
}
