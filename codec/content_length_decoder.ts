/** The decoder of frames with a header that says Content-Length. */

import { InvalidMessageError, MessageTooLargeError, TruncatedMessageError } from "../errors.ts";
import type { Memory } from "../internal/memory.ts";
import { headerEnd, isToken, MAX_HEADER_BYTES, readHeader } from "./content_length_header.ts";
import { isDigit } from "./decimal.ts";
import { type Decoder, EMPTY } from "./framing.ts";
import { Gather } from "./gather.ts";
import { hexByte, hint } from "./hint.ts";

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
/** `CRLF CRLF`. */
const END = 0x0d0a0d0a;
/** The words of `Content-Length: `. */
const CONT = 0x436f6e74;
const ENT = 0x656e742d;
const LENG = 0x4c656e67;
const TH = 0x74683a20;
const START_BYTES = 16;
/** What a header has at least. */
const MIN_HEADER_BYTES = START_BYTES + 1 + 4;
const FIRST_HEAD_BYTES = 256;

/**
 * Between two chunks, the decoder is between frames, inside a header, whose bytes are in `#head`, or
 * inside a body. A header that lies in one chunk is read where it lies; that which nearly all programs
 * send, the fast way.
 */
export class ContentLengthDecoder implements Decoder {
  readonly #keeps: boolean;
  readonly #maxBytes: number;
  readonly #gather: Gather;
  #state: "header" | "body" = "header";
  #head: Uint8Array = EMPTY;
  #headBytes = 0;
  /** How many bytes of CRLF CRLF have come, one behind the other. */
  #matched = 0;
  /** The size of the message, or of the body. */
  #length = 0;
  /** Bytes of the body that have not come. */
  #missing = 0;
  /** Bytes of a whole header that is not part of the message. */
  #dropped = 0;
  #before = 0;
  #failure: unknown;

  constructor(keepHeader: boolean, maxMessageBytes: number, memory: Memory | undefined) {
    this.#keeps = keepHeader;
    this.#maxBytes = maxMessageBytes;
    this.#gather = new Gather(memory);
  }

  get pendingBytes(): number {
    return this.#headBytes + this.#dropped + this.#gather.bytes;
  }

  readTarget(bytes: number): Uint8Array | undefined {
    return this.#gather.bytes === 0 ? undefined : this.#gather.target(
      this.#gather.bytes + this.#missing,
      bytes,
    );
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const { length } = chunk;
      const view = new DataView(chunk.buffer, chunk.byteOffset, length);
      let at = 0;
      if (this.#state === "body") at = this.#readBody(chunk, 0, messages);
      while (at < length) {
        if (this.#headBytes === 0) {
          at = this.#usualFrames(chunk, view, at, messages);
          if (at === length) break;
          const body = this.#wholeHeader(chunk, at);
          if (body > 0) {
            at = this.#readFrame(chunk, at, body, messages);
            continue;
          }
        }
        at = this.#readHeader(chunk, at, messages);
      }
      this.#before += length;
      return messages;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    const pending = this.pendingBytes;
    if (pending === 0) return messages;
    const [missing, part] = this.#state === "header"
      ? [4 - this.#matched, "header"] as const
      : [this.#missing, "body"] as const;
    throw this.#fail(new TruncatedMessageError(pending, missing, part));
  }

  /**
   * Decodes frames that lie in the chunk and whose header is just `Content-Length: N`. Returns where
   * they end.
   */
  #usualFrames(chunk: Uint8Array, view: DataView, at: number, messages: Uint8Array[]): number {
    const { buffer, byteOffset, length } = chunk;
    const keeps = this.#keeps;
    const maxBytes = this.#maxBytes;
    const lastStart = length - MIN_HEADER_BYTES;
    while (
      at <= lastStart && view.getUint32(at) === CONT && view.getUint32(at + 4) === ENT &&
      view.getUint32(at + 8) === LENG && view.getUint32(at + 12) === TH
    ) {
      let i = at + START_BYTES;
      let bytes = chunk[i] - ZERO;
      if (bytes <= 0 || bytes > 9) break;
      for (i++; i < length && isDigit(chunk[i]); i++) bytes = bytes * 10 + (chunk[i] - ZERO);
      const body = i + 4;
      const end = body + bytes;
      if (end > length || view.getUint32(i) !== END) break;
      const start = keeps ? at : body;
      if (end - start > maxBytes) break;
      messages.push(new Uint8Array(buffer, byteOffset + start, end - start));
      at = end;
    }
    return at;
  }

  /** Takes a frame whose header lies in the chunk. Returns how far it came. */
  #readFrame(chunk: Uint8Array, at: number, body: number, messages: Uint8Array[]): number {
    const end = body + this.#length;
    if (end > chunk.length) {
      this.#beginBody(chunk.subarray(at, body));
      return this.#readBody(chunk, body, messages);
    }
    const start = this.#keeps ? at : body;
    const { buffer, byteOffset } = chunk;
    messages.push(start === end ? EMPTY : new Uint8Array(buffer, byteOffset + start, end - start));
    return end;
  }

  /**
   * Reads the header at `at`, if it is whole. Returns where its body begins, and sets `#length`; else
   * returns 0.
   */
  #wholeHeader(chunk: Uint8Array, at: number): number {
    if (!isToken(chunk[at])) {
      const likely = hint(chunk.subarray(at, at + 4));
      throw new InvalidMessageError(
        `Cannot receive message: byte ${this.#before + at} is ${
          hexByte(chunk[at])
        }, where a header begins` +
          (likely === undefined ? "" : ` (${likely})`),
      );
    }
    const rest = chunk.subarray(at, at + MAX_HEADER_BYTES);
    const end = headerEnd(rest);
    if (end < 0) return 0;
    this.#length = readHeader(rest.subarray(0, end), this.#before + at, this.#maxBytes);
    this.#checkSize(this.#length, end, at);
    return at + end;
  }

  /** Takes bytes of a header that straddles chunks, until it is whole. */
  #readHeader(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    const start = this.#before + at - this.#headBytes;
    while (at < chunk.length) {
      const byte = chunk[at++];
      if (this.#headBytes === MAX_HEADER_BYTES) {
        throw new InvalidMessageError(
          `Cannot receive message: its header at byte ${start} has more than ${MAX_HEADER_BYTES} bytes`,
        );
      }
      this.#keep(byte);
      if (byte === CR) this.#matched = this.#matched === 2 ? 3 : 1;
      else if (byte !== LF) this.#matched = 0;
      else if (this.#matched % 2 === 1) this.#matched++;
      else {
        throw new InvalidMessageError(
          `Cannot receive message: its header has a newline without a carriage return at byte ${
            this.#before + at - 1
          }`,
        );
      }
      if (this.#matched < 4) continue;
      const header = this.#head.subarray(0, this.#headBytes);
      this.#length = readHeader(header, start, this.#maxBytes);
      this.#checkSize(this.#length, header.length, start - this.#before);
      this.#beginBody(header.slice());
      return this.#readBody(chunk, at, messages);
    }
    return at;
  }

  #keep(byte: number): void {
    if (this.#headBytes === this.#head.length) {
      const larger = new Uint8Array(Math.max(FIRST_HEAD_BYTES, 2 * this.#head.length));
      larger.set(this.#head);
      this.#head = larger;
    }
    this.#head[this.#headBytes++] = byte;
  }

  #checkSize(body: number, header: number, at: number): void {
    const size = this.#keeps ? body + header : body;
    if (size <= this.#maxBytes) return;
    const where = `its header is at byte ${this.#before + at}`;
    throw new MessageTooLargeError("receive", size, this.#maxBytes, where);
  }

  #beginBody(header: Uint8Array): void {
    this.#headBytes = this.#matched = 0;
    this.#state = "body";
    this.#missing = this.#length;
    if (this.#keeps) this.#gather.push(header, header.length + this.#length);
    else this.#dropped = header.length;
  }

  /** Takes bytes of a body that does not lie in one chunk with its header. */
  #readBody(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    const part = chunk.subarray(at, at + this.#missing);
    if (part.length < this.#missing) {
      if (part.length > 0) this.#gather.push(part, this.#gather.bytes + this.#missing);
      this.#missing -= part.length;
      return chunk.length;
    }
    const message = this.#gather.bytes === 0 ? part : this.#gather.take(0, part);
    messages.push(message.length === 0 ? EMPTY : message);
    this.#state = "header";
    this.#dropped = this.#missing = 0;
    return at + part.length;
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    this.#gather.clear();
    this.#headBytes = this.#dropped = 0;
    this.#head = EMPTY;
    return error;
  }
}
