/** A framing under a program's name, with that program's limit and its further rules. */

import type { Memory } from "../../internal/memory.ts";
import { checkLimit, type Decoder, type EndInfo, type Framing } from "../framing.ts";

/** What a program adds to a framing. */
export interface Additions {
  /** What the framing is called. */
  readonly name: string;
  /** The largest message, in bytes. */
  readonly maxBytes: number;
  /**
   * Turns what was received into the message, or throws a `ProtocolError`. It is called with each
   * message. `maxBytes` is the limit of a message.
   */
  readonly receive?: (message: Uint8Array, maxBytes: number) => Uint8Array;
  /** Turns a message into what is sent, or throws a `ProtocolError`. */
  readonly send?: (message: Uint8Array) => Uint8Array;
  /**
   * How many bytes a byte of the message may have on the wire, at most.
   *
   * @default 1
   */
  readonly growth?: number;
}

/** A framing that adds something to `inner`. Its limit is never above `maxBytes`. */
export function adapted(inner: Framing, additions: Additions): Framing {
  return new AdaptedFraming(inner, additions, checkLimit(additions.maxBytes));
}

class AdaptedFraming implements Framing {
  readonly name: string;
  readonly maxMessageBytes: number;
  readonly keepsBoundaries: boolean;
  readonly isSelective: boolean;
  readonly #inner: Framing;
  readonly #additions: Additions;

  constructor(inner: Framing, additions: Additions, maxMessageBytes: number) {
    const { name, growth = 1 } = additions;
    this.#inner = inner.withLimit(Math.min(maxMessageBytes * growth, Number.MAX_SAFE_INTEGER));
    this.#additions = additions;
    this.name = name;
    this.keepsBoundaries = inner.keepsBoundaries;
    this.isSelective = inner.isSelective === true || additions.send !== undefined;
    this.maxMessageBytes = growth === 1 ? this.#inner.maxMessageBytes : maxMessageBytes;
  }

  withLimit(maxMessageBytes: number): Framing {
    const limit = Math.min(checkLimit(maxMessageBytes), this.#additions.maxBytes);
    return new AdaptedFraming(this.#inner, this.#additions, limit);
  }

  decoder(memory?: Memory): Decoder {
    const decoder = this.#inner.decoder(memory);
    const { receive } = this.#additions;
    if (receive === undefined) return decoder;
    return new AdaptedDecoder(decoder, (message) => receive(message, this.maxMessageBytes));
  }

  frameBytes(message: Uint8Array): number {
    return this.#inner.frameBytes(this.#sent(message));
  }

  encodeInto(message: Uint8Array, target: Uint8Array, at: number, isText?: boolean): number {
    return this.#inner.encodeInto(this.#sent(message), target, at, isText);
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    return this.#inner.encodeParts(this.#sent(message), isText);
  }

  encodeHeader(message: Uint8Array, isText?: boolean): Uint8Array | undefined {
    const sent = this.#sent(message);
    return sent === message ? this.#inner.encodeHeader?.(sent, isText) : undefined;
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    return this.#inner.encode(this.#sent(message), isText);
  }

  #sent(message: Uint8Array): Uint8Array {
    return this.#additions.send?.(message) ?? message;
  }
}

/** Hands over the messages of another decoder, each as `receive` returns it. */
class AdaptedDecoder implements Decoder {
  readonly #inner: Decoder;
  readonly #receive: (message: Uint8Array) => Uint8Array;
  #failure: unknown;

  constructor(inner: Decoder, receive: (message: Uint8Array) => Uint8Array) {
    this.#inner = inner;
    this.#receive = receive;
  }

  get pendingBytes(): number {
    return this.#failure === undefined ? this.#inner.pendingBytes : 0;
  }

  get tailBytes(): number {
    return this.#failure === undefined ? this.#inner.tailBytes ?? this.#inner.pendingBytes : 0;
  }

  get ended(): EndInfo | undefined {
    return this.#inner.ended;
  }

  takeReply(): Uint8Array | undefined {
    return this.#inner.takeReply?.();
  }

  readTarget(bytes: number): Uint8Array | undefined {
    return this.#inner.readTarget?.(bytes);
  }

  decode(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    return this.#adapt(messages, () => this.#inner.decode(chunk, messages));
  }

  end(messages: Uint8Array[] = []): Uint8Array[] {
    return this.#adapt(messages, () => this.#inner.end(messages));
  }

  /** Adapts what `decode` appends to `messages`, also if it throws. */
  #adapt(messages: Uint8Array[], decode: () => void): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    let at = messages.length;
    try {
      try {
        decode();
      } finally {
        // An error here came earlier in the stream than the decoder's own, and takes its place.
        for (; at < messages.length; at++) messages[at] = this.#receive(messages[at]);
      }
      return messages;
    } catch (error) {
      messages.length = at;
      this.#failure = error;
      throw error;
    }
  }
}
