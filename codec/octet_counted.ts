/** Framing of syslog over TCP (RFC 6587). */

import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { BaseFraming } from "./base.ts";
import {
  decimalDigits,
  digitsEnd,
  isDigit,
  MAX_DIGITS,
  readLength,
  refuseLength,
  writeDecimal,
} from "./decimal.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Framing,
  type FramingOptions,
} from "./framing.ts";
import { Gather } from "./gather.ts";
import { hexByte } from "./hint.ts";
import { canonical } from "./names.ts";

const SPACE = 0x20;
const LF = 0x0a;

/** Options of {@linkcode octetCounted}. */
export interface OctetCountedOptions extends FramingOptions {
  /**
   * What to send: `counted` frames, or `lines`, for receivers that do not know counts. A line is a
   * message that does not begin with a digit and contains no newline.
   *
   * @default "counted"
   */
  send?: "counted" | "lines";
  /**
   * What to take: `both`, as syslog daemons do, or `counted` frames only.
   *
   * @default "both"
   */
  accept?: "both" | "counted";
}

/**
 * Frames messages as syslog over TCP (RFC 6587). A counted frame is the length in decimal digits, a
 * space, and the message (octet counting, 3.4.1). A frame that does not begin with a digit is a line,
 * up to a newline (non-transparent framing, 3.4.2). Daemons take both in one stream, frame by frame, and
 * so does this framing. As they do, it drops empty lines, and takes a last line without its newline. An
 * empty message cannot be sent.
 *
 * @throws {RangeError} for a limit out of range.
 * @throws {TypeError} for another word, and for sending lines while counted frames alone are taken.
 *
 * @example Both kinds in one stream
 * ```ts
 * import { octetCounted } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const stream = new TextEncoder().encode("5 <1>hi<2>hello\n");
 * const messages = octetCounted().decoder().decode(stream);
 * assertEquals(messages.map((m) => new TextDecoder().decode(m)), ["<1>hi", "<2>hello"]);
 * ```
 */
export function octetCounted(options: OctetCountedOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, send = "counted", accept = "both" } =
    options;
  if (send !== "counted" && send !== "lines") {
    throw new TypeError(`Cannot use send "${send}": it must be "counted" or "lines"`);
  }
  if (accept !== "both" && accept !== "counted") {
    throw new TypeError(`Cannot use accept "${accept}": it must be "both" or "counted"`);
  }
  if (send === "lines" && accept === "counted") {
    throw new TypeError(
      "Cannot use send lines together with accept counted: the framing would refuse what it sends",
    );
  }
  return new OctetCountedFraming(send, accept, checkLimit(maxMessageBytes));
}

class OctetCountedFraming extends BaseFraming {
  readonly name: string;
  readonly isSelective = true;
  readonly #send: "counted" | "lines";
  readonly #accept: "both" | "counted";

  constructor(
    send: "counted" | "lines",
    accept: "both" | "counted",
    readonly maxMessageBytes: number,
  ) {
    super();
    this.#send = send;
    this.#accept = accept;
    this.name = canonical("octetCounted", {
      send: send === "counted" ? undefined : send,
      accept: accept === "both" ? undefined : accept,
    });
  }

  withLimit(maxMessageBytes: number): Framing {
    return new OctetCountedFraming(this.#send, this.#accept, checkLimit(maxMessageBytes));
  }

  decoder(memory?: Memory): Decoder {
    return new OctetCountedDecoder(this.#accept === "both", this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    const { length } = message;
    if (length === 0) {
      throw new InvalidMessageError("Cannot send message of 0 bytes: syslog has no empty messages");
    }
    if (this.#send === "counted") return decimalDigits(length) + 1 + length;
    if (isDigit(message[0])) {
      throw new InvalidMessageError(
        "Cannot send message as a line: it begins with a digit, which receivers take for a length",
      );
    }
    const at = message.indexOf(LF);
    if (at < 0) return length + 1;
    throw new InvalidMessageError(`Cannot send message as a line: it has a newline at byte ${at}`);
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    if (this.#send === "counted") {
      at = writeDecimal(message.length, target, at);
      target[at++] = SPACE;
    }
    target.set(message, at);
    at += message.length;
    if (this.#send === "lines") target[at++] = LF;
    return at;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const header = this.encodeHeader(message);
    return header === undefined ? [message, Uint8Array.of(LF)] : [header, message];
  }

  encodeHeader(message: Uint8Array): Uint8Array | undefined {
    const bytes = this.frameBytes(message) - message.length;
    if (this.#send === "lines") return undefined;
    const header = new Uint8Array(bytes);
    header[writeDecimal(message.length, header, 0)] = SPACE;
    return header;
  }
}

class OctetCountedDecoder implements Decoder {
  readonly #takesLines: boolean;
  readonly #maxBytes: number;
  readonly #gather: Gather;
  #state: "between" | "length" | "body" | "line" = "between";
  /** The length's digits, if they straddle chunks. */
  #digits: Uint8Array | undefined;
  /** How many bytes the length has, with its space. */
  #headerBytes = 0;
  /** The size of the message, if it is counted. */
  #total = 0;
  #before = 0;
  #failure: unknown;

  constructor(takesLines: boolean, maxMessageBytes: number, memory: Memory | undefined) {
    this.#takesLines = takesLines;
    this.#maxBytes = maxMessageBytes;
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#headerBytes + this.#gather.bytes;
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      let at = 0;
      while (at < chunk.length) {
        if (this.#state === "between") at = this.#begin(chunk, at);
        else if (this.#state === "length") at = this.#readLength(chunk, at);
        else at = this.#readMessage(chunk, at, messages);
      }
      this.#before += chunk.length;
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    const pending = this.pendingBytes;
    if (pending === 0) return messages;
    if (this.#state === "line") {
      messages.push(this.#gather.take(0, new Uint8Array(0)));
      this.#state = "between";
      return messages;
    }
    const [missing, part] = this.#state === "length"
      ? [1, "header"] as const
      : [this.#total - this.#gather.bytes, "body"] as const;
    throw this.#fail(new TruncatedMessageError(pending, missing, part));
  }

  #begin(chunk: Uint8Array, at: number): number {
    const byte = chunk[at];
    if (isDigit(byte)) this.#state = "length";
    else if (!this.#takesLines) {
      const digits = { bytes: chunk, at, end: at, offset: this.#before + at };
      refuseLength(digits, this.#maxBytes, "must be decimal digits and a space");
    } else if (byte === LF) return at + 1; // An empty line.
    else this.#state = "line";
    return at;
  }

  /** Takes bytes of the length until its space. */
  #readLength(chunk: Uint8Array, at: number): number {
    const kept = this.#headerBytes;
    const end = digitsEnd(chunk, at, Math.min(chunk.length, at + MAX_DIGITS + 1 - kept));
    const length = kept + end - at;
    const offset = this.#before + at - kept;
    let found = { bytes: chunk, at, end, offset };
    const isWhole = end < chunk.length || length > MAX_DIGITS;
    if (kept > 0 || !isWhole) {
      this.#digits ??= new Uint8Array(MAX_DIGITS + 1);
      this.#digits.set(chunk.subarray(at, end), kept);
      found = { bytes: this.#digits.subarray(0, length), at: 0, end: length, offset };
    }
    this.#headerBytes = length;
    if (!isWhole) return end;
    if (length <= MAX_DIGITS && chunk[end] !== SPACE) {
      const byte = hexByte(chunk[end]);
      refuseLength(found, this.#maxBytes, `is followed by ${byte} and not by a space`);
    }
    this.#total = readLength(found, this.#maxBytes);
    if (this.#total === 0) refuseLength(found, this.#maxBytes, "must not be 0");
    this.#headerBytes++;
    this.#state = "body";
    return end + 1;
  }

  /** Takes bytes of a message until its end. */
  #readMessage(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    const isLine = this.#state === "line";
    const newline = isLine ? chunk.indexOf(LF, at) : -1;
    const stop = isLine
      ? newline < 0 ? chunk.length : newline
      : Math.min(chunk.length, at + this.#total - this.#gather.bytes);
    const part = new Uint8Array(chunk.buffer, chunk.byteOffset + at, stop - at);
    const size = this.#gather.bytes + part.length;
    if (isLine && size > this.#maxBytes) {
      const where = `at least, its line begins at byte ${this.#before + at - this.#gather.bytes}`;
      throw new MessageTooLargeError("receive", size, this.#maxBytes, where);
    }
    if (isLine ? newline < 0 : size < this.#total) {
      this.#gather.push(part, isLine ? Infinity : this.#total);
      return stop;
    }
    messages.push(this.#gather.bytes === 0 ? part : this.#gather.take(0, part));
    this.#headerBytes = 0;
    this.#state = "between";
    return isLine ? stop + 1 : stop;
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    this.#headerBytes = 0;
    return error;
  }
}
