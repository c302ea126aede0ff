/** Framings that change after the first messages. */

import { checkInteger } from "../internal/check.ts";
import { endOfMessages, tailOf } from "./boundary.ts";
import type { Decoder, Framing } from "./framing.ts";
import { Gather } from "./gather.ts";
import type { Memory } from "../internal/memory.ts";
import { canonical } from "./names.ts";

/** Options of {@linkcode staged}. */
export interface StagedOptions {
  /**
   * How many messages have the first framing, 1 to 1024.
   *
   * @default 1
   */
  messages?: number;
}

/**
 * A framing that changes: the first message has the framing `first`, and all messages after it have the
 * framing `then`. Each direction counts its own messages. For a change that cannot be counted, there is
 * `connection.switchFraming()`.
 *
 * `encode()` makes the frame of a first message; `after(messages)` is the framing of later ones.
 *
 * @throws {RangeError} for a number of messages out of range.
 * @throws {TypeError} if `first` changes itself (write `staged(a, staged(b, c))`), or if a framing
 * belongs to a transport.
 *
 * @example What a PostgreSQL server receives: a first message without a type byte
 * ```ts
 * import { lengthPrefix, staged } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const first = lengthPrefix({ includesHeader: true });
 * const then = lengthPrefix({ offset: 1, adjustment: -4, strip: 0 });
 * const decoder = staged(first, then).decoder();
 * const bytes = new Uint8Array([0, 0, 0, 6, 3, 0, 0x51, 0, 0, 0, 5, 0]);
 * assertEquals(decoder.decode(bytes), [bytes.slice(4, 6), bytes.slice(6)]);
 * ```
 */
export function staged(first: Framing, then: Framing, options: StagedOptions = {}): Framing {
  const { messages = 1 } = options;
  checkInteger("messages", messages, 1, 1024);
  for (const [name, framing] of Object.entries({ first, then })) {
    if (typeof framing?.decoder !== "function") {
      throw new TypeError(`Cannot use ${name} ${framing}: it must be a framing`);
    }
    if (framing.isApart || framing.encodeEnd !== undefined) {
      throw new TypeError(
        `Cannot use ${name} ${framing.name}: it has frames that are not messages`,
      );
    }
  }
  if (!first.keepsBoundaries) {
    throw new TypeError(`Cannot use first ${first.name}: it keeps no boundaries of messages`);
  }
  if (first.after !== undefined) {
    throw new TypeError(
      `Cannot use first ${first.name}: it changes itself; use staged(a, staged(b, c))`,
    );
  }
  return new StagedFraming(first, then, messages);
}

class StagedFraming implements Framing {
  readonly name: string;
  readonly maxMessageBytes: number;
  readonly keepsBoundaries: boolean;
  readonly isSelective: boolean;

  constructor(readonly first: Framing, readonly then: Framing, readonly messages: number) {
    const count = messages === 1 ? undefined : messages;
    this.name = canonical("staged", { messages: count }, [first.name, then.name]);
    this.maxMessageBytes = Math.max(first.maxMessageBytes, then.maxMessageBytes);
    this.keepsBoundaries = first.keepsBoundaries && then.keepsBoundaries;
    this.isSelective = Boolean(first.isSelective || then.isSelective);
  }

  after(messages: number): Framing {
    if (messages < this.messages) {
      return new StagedFraming(this.first, this.then, this.messages - messages);
    }
    const rest = messages - this.messages;
    return this.then.after?.(rest) ?? this.then;
  }

  withLimit(maxMessageBytes: number): Framing {
    const [first, then] = [this.first, this.then].map((framing) =>
      framing.maxMessageBytes <= maxMessageBytes ? framing : framing.withLimit(maxMessageBytes)
    );
    return new StagedFraming(first, then, this.messages);
  }

  decoder(memory?: Memory): Decoder {
    return new StagedDecoder(this, memory);
  }

  frameBytes(message: Uint8Array): number {
    return this.first.frameBytes(message);
  }

  encodeInto(message: Uint8Array, target: Uint8Array, offset: number, isText?: boolean): number {
    return this.first.encodeInto(message, target, offset, isText);
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    return this.first.encodeParts(message, isText);
  }

  encodeHeader(message: Uint8Array, isText?: boolean): Uint8Array | undefined {
    return this.first.encodeHeader?.(message, isText);
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    return this.first.encode(message, isText);
  }
}

class StagedDecoder implements Decoder {
  readonly #framing: StagedFraming;
  readonly #memory: Memory | undefined;
  /** How many messages of the first framing are still to come. */
  #left: number;
  #current: Decoder;
  /** The bytes behind the last message, as long as messages of the first framing are to come. */
  readonly #behind = new Gather();
  #failure: { readonly error: unknown } | undefined;

  constructor(framing: StagedFraming, memory: Memory | undefined) {
    this.#framing = framing;
    this.#memory = memory;
    this.#left = framing.messages;
    // Not with the memory: its chunks are needed twice.
    this.#current = framing.first.decoder();
  }

  get pendingBytes(): number {
    return this.#current.pendingBytes;
  }

  get tailBytes(): number {
    return tailOf(this.#current);
  }

  takeReply(): Uint8Array | undefined {
    return this.#current.takeReply?.();
  }

  readTarget(bytes: number): Uint8Array | undefined {
    return this.#left > 0 ? undefined : this.#current.readTarget?.(bytes);
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    if (this.#left === 0) return this.#current.decode(chunk, messages);
    if (this.#failure !== undefined) throw this.#failure.error;
    const own: Uint8Array[] = [];
    let failure: { readonly error: unknown } | undefined;
    try {
      this.#current.decode(chunk, own);
    } catch (error) {
      failure = { error };
    }
    const count = Math.min(own.length, this.#left);
    for (const message of own.slice(0, count)) messages.push(message);
    if (own.length < this.#left) {
      this.#left -= count;
      if (failure === undefined) return this.#keep(chunk, count > 0, messages);
      this.#failure = failure;
      throw failure.error;
    }
    // What is wrong behind the last message of the first framing, is not wrong in the second one.
    const isPlain = failure === undefined && own.length === count;
    const rest = this.#restOf(chunk, count, isPlain);
    this.#behind.clear();
    this.#left = 0;
    this.#current = this.#framing.then.decoder(this.#memory);
    return rest.length === 0 ? messages : this.#current.decode(rest, messages);
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    return this.#current.end(messages);
  }

  /** Keeps what is behind the last message. */
  #keep(chunk: Uint8Array, isComplete: boolean, messages: Uint8Array[]): Uint8Array[] {
    const tailBytes = tailOf(this.#current);
    if (isComplete && tailBytes <= chunk.length) {
      this.#behind.clear();
      this.#behind.push(chunk.subarray(chunk.length - tailBytes));
    } else this.#behind.push(chunk);
    return messages;
  }

  /** The part of a chunk that is behind the last message of the first framing. */
  #restOf(chunk: Uint8Array, count: number, isPlain: boolean): Uint8Array {
    const tailBytes = tailOf(this.#current);
    if (isPlain && tailBytes <= chunk.length) return chunk.subarray(chunk.length - tailBytes);
    const all = this.#behind.take(0, chunk);
    return all.subarray(endOfMessages(all, count, this.#framing.first));
  }
}
