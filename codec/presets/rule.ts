/** Framings whose header follows a rule of its own. */

import { InvalidMessageError, MessageTooLargeError } from "../../errors.ts";
import type { Memory } from "../../internal/memory.ts";
import { BaseFraming } from "../base.ts";
import {
  checkLimit,
  type Decoder,
  DEFAULT_MAX_MESSAGE_BYTES,
  EMPTY,
  type Framing,
  type FramingOptions,
} from "../framing.ts";
import { hint } from "../hint.ts";
import { PrefixDecoder } from "../prefix_decoder.ts";

/** What a header told. */
export interface FrameSize {
  /** The bytes of the frame, header included. */
  total: number;
  /** How many bytes at the start of the frame are not part of the message. */
  skip: number;
  /** The message, if it is empty. */
  empty: Uint8Array;
}

/** How the frames of one program begin. */
export interface Rule {
  /** The name of the framing. */
  readonly name: string;
  /** The size of the shortest header, in bytes. */
  readonly minHeaderBytes: number;
  /** The size of the longest header that must be whole before the frame's size is known, in bytes. */
  readonly maxHeaderBytes: number;
  /** The largest message that a header can tell, in bytes. */
  readonly most: number;
  /** Whether there are messages that it cannot carry. */
  readonly isSelective?: boolean;
  /**
   * What stands before a message. The result is empty where the message begins with its own header.
   *
   * @throws {InvalidMessageError} if the message cannot be sent.
   */
  header(message: Uint8Array): Uint8Array;
  /**
   * Reads the header at `at` into `size`. Returns false if the header is not complete before `end`.
   *
   * @throws {InvalidLengthError} if the header is impossible.
   */
  measure(chunk: Uint8Array, at: number, end: number, size: FrameSize): boolean;
}

/** The framing of a rule. `maxBytes` is the limit of the real program, where it has one. */
export function ruled(
  rule: Rule,
  { maxMessageBytes }: FramingOptions,
  maxBytes: number = DEFAULT_MAX_MESSAGE_BYTES,
): Framing {
  const most = checkLimit(maxMessageBytes ?? Math.min(maxBytes, rule.most));
  if (most > rule.most) {
    throw new RangeError(
      `Cannot use maxMessageBytes ${most}: ${rule.name} can say at most ${rule.most}`,
    );
  }
  return new RuledFraming(rule, most, most);
}

/** A rule for messages that begin with their own header, which tells the size of the whole. */
export function selfSized(
  name: string,
  headerBytes: number,
  /** The size of the message at `at`, from a whole header; -1 if more of the header is needed. */
  sizeOf: (chunk: Uint8Array, at: number, end: number) => number,
  maxHeaderBytes: number = headerBytes,
): Rule {
  return {
    name,
    minHeaderBytes: headerBytes,
    maxHeaderBytes,
    most: Number.MAX_SAFE_INTEGER,
    isSelective: true,
    header(message) {
      const size = message.length < headerBytes ? -1 : sizeOf(message, 0, message.length);
      if (size !== message.length) {
        const told = size < 0 ? "its header is not whole" : `its header tells ${size} bytes`;
        throw new InvalidMessageError(
          `Cannot send message of ${message.length} bytes as ${name}: ${told}`,
        );
      }
      return EMPTY;
    },
    measure(chunk, at, end, size) {
      if (end - at < headerBytes) return false;
      size.total = sizeOf(chunk, at, end);
      size.skip = 0;
      return size.total >= 0;
    },
  };
}

class RuledFraming extends BaseFraming {
  readonly name: string;
  readonly maxMessageBytes: number;
  readonly isSelective: boolean;
  readonly #rule: Rule;
  readonly #most: number;

  constructor(rule: Rule, maxMessageBytes: number, most: number) {
    super();
    this.#rule = rule;
    this.#most = most;
    this.name = rule.name;
    this.isSelective = rule.isSelective === true;
    this.maxMessageBytes = maxMessageBytes;
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), this.#most);
    return new RuledFraming(this.#rule, limit, this.#most);
  }

  decoder(memory?: Memory): Decoder {
    return new RuledDecoder(this.#rule, this.maxMessageBytes, memory);
  }

  frameBytes(message: Uint8Array): number {
    return this.encodeHeader(message).length + message.length;
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number): number {
    const header = this.encodeHeader(message);
    target.set(header, at);
    target.set(message, at + header.length);
    return at + header.length + message.length;
  }

  override encodeParts(message: Uint8Array): Uint8Array[] {
    const header = this.encodeHeader(message);
    return header.length === 0 ? [message] : [header, message];
  }

  encodeHeader(message: Uint8Array): Uint8Array {
    const { most, name } = this.#rule;
    if (message.length > most) {
      throw new MessageTooLargeError("send", message.length, most, `framing ${name}`);
    }
    return this.#rule.header(message);
  }
}

class RuledDecoder extends PrefixDecoder {
  readonly #rule: Rule;
  readonly #maxBytes: number;
  readonly #size: FrameSize = { total: 0, skip: 0, empty: EMPTY };

  constructor(rule: Rule, maxMessageBytes: number, memory: Memory | undefined) {
    super(rule.minHeaderBytes, rule.maxHeaderBytes, memory);
    this.#rule = rule;
    this.#maxBytes = maxMessageBytes;
  }

  protected override measure(chunk: Uint8Array, at: number, end: number): number {
    const size = this.#size;
    size.empty = EMPTY;
    if (!this.#rule.measure(chunk, at, end, size)) return -1;
    const bytes = size.total - size.skip;
    if (bytes > this.#maxBytes) {
      const likely = hint(chunk.subarray(at, Math.min(at + 4, end)));
      throw new MessageTooLargeError("receive", bytes, this.#maxBytes, likely);
    }
    this.skip = size.skip;
    this.empty = size.empty;
    return size.total;
  }
}
