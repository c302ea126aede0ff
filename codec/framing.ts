/** What a framing is: the rule that turns messages into frames, and frames into messages. */

import type { ProtocolError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import type { Memory } from "../internal/memory.ts";

/**
 * A framing: the rule that turns messages into frames. Immutable, free of I/O, shared by any number
 * of connections. Make one with `framing(name)`, `lengthPrefix()`, `varint()`, `line()` or `none()`.
 */
export interface Framing {
  /** What to call it: a name of `framing()`, or a description such as `lengthPrefix(offset 2)`. */
  readonly name: string;
  /** The largest message that decoders of this framing accept, in bytes. */
  readonly maxMessageBytes: number;
  /** Whether a message arrives as it was sent. False for `none`, which hands over chunks. */
  readonly keepsBoundaries: boolean;
  /** The same framing with another limit. */
  withLimit(maxMessageBytes: number): Framing;
  /**
   * A new decoder, for one stream of chunks. Those of which nothing is needed any more go back to the
   * memory that they came from, if it is given.
   */
  decoder(memory?: Memory): Decoder;
  /**
   * The size of a message's frame, in bytes.
   *
   * @throws {MessageTooLargeError} where the prefix cannot say the size.
   * @throws {InvalidMessageError} where the framing cannot carry these bytes.
   */
  frameBytes(message: Uint8Array): number;
  /**
   * Writes a message's frame, `frameBytes(message)` long, at `offset`; returns where it ends. Whether
   * the message was given as a string matters only to framings that tell text from bytes.
   */
  encodeInto(message: Uint8Array, target: Uint8Array, offset: number, isText?: boolean): number;
  /** A message's frame as chunks, in which the message's bytes are not copied where that can be. */
  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[];
  /**
   * What a frame begins with where the message follows as it is, and nothing more; undefined, or not
   * there, where that is not so.
   */
  encodeHeader?(message: Uint8Array, isText?: boolean): Uint8Array | undefined;
  /** A message's frame in one new array. */
  encode(message: Uint8Array, isText?: boolean): Uint8Array;
  /**
   * What tells the peer within the stream that nothing more follows, for framings that have such a
   * thing (WebSocket's Close frame); elsewhere the stream's own end tells it.
   */
  encodeEnd?(info: EndInfo): Uint8Array;
  /** Whether each frame has to be written by itself, because one write makes one message (UDP). */
  readonly isApart?: boolean;
}

/** What a framing can say about the end of the messages. */
export interface EndInfo {
  /** A number for programs. */
  readonly code?: number;
  /** A text for people. */
  readonly reason?: string;
  /** What the peer did wrong, if that is why. */
  readonly error?: ProtocolError;
}

/**
 * Turns the chunks of one stream into messages.
 *
 * - Messages come out whole and in order, however the stream was cut into chunks.
 * - The limit is checked as soon as the header is there, before anything is allocated for the body.
 * - A chunk belongs to the decoder once it was passed in: messages that lie inside one chunk are
 *   views of it. A message that straddles chunks is copied once, and its small pieces twice.
 * - What it holds never exceeds the bytes that arrived for the unfinished frame plus 16 KiB. After
 *   `readTarget(bytes)` it may instead hold `bytes`, or four times what arrived, whichever is more.
 * - After an error it is spent: the place in the stream is lost, and every call throws that error.
 */
export interface Decoder {
  /** Bytes of the unfinished frame that have arrived; 0 between frames. */
  readonly pendingBytes: number;
  /**
   * What the framing itself has to answer, to be written as it is, once: refusals of what telnet
   * asks for. Undefined when there is nothing to answer.
   */
  takeReply?(): Uint8Array | undefined;
  /** Set once the peer has said within the stream that nothing more follows. */
  readonly ended?: EndInfo | undefined;
  /**
   * An optional buffer to read into, so that a large message is assembled in place and is not copied.
   * If the caller reads into this buffer, the next chunk must be the start of it. The caller may also
   * read somewhere else. Undefined when there is nothing to gain. The buffer is never longer than
   * `bytes`, or than three times what has arrived of the message, whichever is more.
   */
  readTarget?(bytes: number): Uint8Array | undefined;
  /**
   * Takes a chunk and appends the messages that it completes to `messages`, which is returned.
   * When the chunk is in error, the messages before the error have been appended.
   *
   * @throws {ProtocolError} for a length that is too large or cannot be.
   */
  decode(chunk: Uint8Array, messages?: Uint8Array[]): Uint8Array[];
  /**
   * The stream has ended. Appends what the end completes: a last line without its newline.
   *
   * @throws {TruncatedMessageError} where the stream ended inside a frame.
   */
  end(messages?: Uint8Array[]): Uint8Array[];
}

/** Options that every framing has. */
export interface FramingOptions {
  /**
   * The largest message to accept, in bytes, 0 to 2^53 - 1.
   *
   * @default 16_777_216
   */
  maxMessageBytes?: number;
}

/** 16 MiB: the default limit of a framing that stands alone. */
export const DEFAULT_MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;

/** The one empty message: a chunk of nothing but empty frames must not become a heap of arrays. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** Checks the option that every framing has and returns it. */
export function checkLimit(maxMessageBytes: number): number {
  return checkInteger("maxMessageBytes", maxMessageBytes, 0, Number.MAX_SAFE_INTEGER);
}

/** A frame as one new array; what `Framing.encode` is for every framing. */
export function encodeWhole(framing: Framing, message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(framing.frameBytes(message));
  framing.encodeInto(message, frame, 0);
  return frame;
}
