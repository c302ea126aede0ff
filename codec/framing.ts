/** What framings and decoders are. */

import type { ProtocolError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import type { Memory } from "../internal/memory.ts";
import type { Batch } from "./batch.ts";

/**
 * A framing: the rule that turns messages into frames. Immutable, free of I/O, shared by any number
 * of connections. Make one with `framing(name)`, `lengthPrefix()`, `varint()`, `line()` or `none()`.
 */
export interface Framing {
  /**
   * What to call it: text in canonical form, such as `u32be` or `length(offset:1)`. The function
   * `framing()` makes an equal framing of it, but for the limit.
   */
  readonly name: string;
  /** The largest message that decoders of this framing accept, in bytes. */
  readonly maxMessageBytes: number;
  /** Whether a message arrives as it was sent. False for `none`, which hands over chunks. */
  readonly keepsBoundaries: boolean;
  /**
   * Whether there are messages within the limit that the framing cannot carry, because of their bytes
   * or their size: a line with a newline in it. Such a framing carries no sessions and no requests.
   *
   * @default false
   */
  readonly isSelective?: boolean;
  /** The same framing with another limit. */
  withLimit(maxMessageBytes: number): Framing;
  /**
   * A new decoder, for one stream of chunks. With `memory`, the decoder gives a chunk back to it when
   * nothing in the chunk is needed any more.
   */
  decoder(memory?: Memory): Decoder;
  /**
   * The size of a message's frame, in bytes.
   *
   * @throws {MessageTooLargeError} if the message is larger than the length prefix can express.
   * @throws {InvalidMessageError} if the framing cannot carry these bytes.
   */
  frameBytes(message: Uint8Array): number;
  /**
   * Writes a message's frame into `target` at `offset`, and returns where the frame ends. The frame has
   * `frameBytes(message)` bytes. `isText` says that the message was given as a string; it matters only
   * to framings that tell text from bytes.
   */
  encodeInto(message: Uint8Array, target: Uint8Array, offset: number, isText?: boolean): number;
  /** A message's frame as chunks. The bytes of the message are not copied if that is possible. */
  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[];
  /**
   * The header of a message's frame, if the frame is exactly the header and the unchanged message;
   * otherwise undefined. A framing whose frames are never like that need not have this method.
   */
  encodeHeader?(message: Uint8Array, isText?: boolean): Uint8Array | undefined;
  /** A message's frame in one new array. */
  encode(message: Uint8Array, isText?: boolean): Uint8Array;
  /**
   * The bytes that tell the peer that nothing more follows, such as WebSocket's Close frame. Most
   * framings do not have them: there the end of the stream tells it.
   */
  encodeEnd?(info: EndInfo): Uint8Array;
  /**
   * The bytes that ask the peer whether it is there, such as WebSocket's Ping frame. They are not a
   * message, and a peer answers them by itself. Most framings do not have them.
   */
  encodePing?(): Uint8Array;
  /** Whether each frame needs a write of its own, because one write makes one message (UDP). */
  readonly isApart?: boolean;
  /**
   * The framing of what a peer sends after it has sent `messages` messages. Only a framing that changes
   * after some messages has this method.
   */
  after?(messages: number): Framing;
}

/** What a framing can say about the end of the messages. */
export interface EndInfo {
  /** A number for programs. */
  readonly code?: number;
  /** A text for people. */
  readonly reason?: string;
  /** What the peer did wrong, if the end has that reason. */
  readonly error?: ProtocolError;
}

/**
 * Turns the chunks of one stream into messages.
 *
 * - Messages come out whole and in order, however the stream was cut into chunks.
 * - The limit is checked as soon as the header has arrived, before memory is allocated for the body.
 * - A chunk that was passed in belongs to the decoder. A message that lies inside one chunk is a view
 *   of that chunk. A message that spans several chunks is copied once, and its small pieces twice.
 * - A decoder does not change the bytes of a chunk: another framing may have to decode them anew. Only
 *   the framings of transports, which cannot be switched, may do so.
 * - The memory that a decoder holds never exceeds the bytes that arrived for the unfinished frame
 *   plus 16 KiB. After `readTarget(bytes)` it may instead hold `bytes`, or four times what arrived,
 *   whichever is more. A framing with a `maxDepth` above 512 says what its levels need.
 * - After an error a decoder cannot go on, because it no longer knows where the next frame begins.
 *   Every further call throws the same error.
 */
export interface Decoder {
  /** Bytes of the unfinished frame that have arrived; 0 between frames. */
  readonly pendingBytes: number;
  /**
   * How many bytes have arrived behind the last message that was given out. A decoder needs this member
   * only if that number is not always `pendingBytes`.
   */
  readonly tailBytes?: number;
  /**
   * An answer of the framing itself, to be written once and as it is: a pong of WebSocket, or the
   * refusal of an option of telnet. Undefined when there is nothing to answer.
   */
  takeReply?(): Uint8Array | undefined;
  /** Set when the peer has said, inside the stream, that nothing more follows. */
  readonly ended?: EndInfo | undefined;
  /**
   * An optional buffer to read into, so that a large message is assembled in place and is not copied.
   * If the caller reads into this buffer, the next chunk must be the start of it. The caller may also
   * read somewhere else. Undefined when there is nothing to gain. The buffer is never longer than
   * `bytes`, or than three times what has arrived of the message, whichever is more.
   */
  readTarget?(bytes: number): Uint8Array | undefined;
  /**
   * Takes a chunk, appends the messages that it completes to `messages`, and returns `messages`. The
   * messages before an error are appended before the error is thrown.
   *
   * @throws {ProtocolError} if a length is too large or impossible, or a frame is invalid.
   */
  decode(chunk: Uint8Array, messages?: Uint8Array[]): Uint8Array[];
  /**
   * As `decode()`, but puts the messages into a new batch, which makes a view only of those that are
   * asked for. A decoder that has to change bytes does not have this method.
   */
  decodeInto?(batch: Batch, chunk: Uint8Array): void;
  /**
   * Tells that the stream has ended. Appends the message that the end completes, if there is one: a
   * last line without its newline.
   *
   * @throws {TruncatedMessageError} if the stream ended inside a frame.
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

export { EMPTY } from "./empty.ts";

/** The default limit of a framing without a connection: 16 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES: number = 16 * 1024 * 1024;

/** Checks `maxMessageBytes`, which every framing has, and returns it. */
export function checkLimit(maxMessageBytes: number): number {
  return checkInteger("maxMessageBytes", maxMessageBytes, 0, Number.MAX_SAFE_INTEGER);
}

/** Implements `Framing.encode()`: makes the frame in one new array. */
export function encodeWhole(framing: Framing, message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(framing.frameBytes(message));
  framing.encodeInto(message, frame, 0);
  return frame;
}
