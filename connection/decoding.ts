/** Decoding by one framing. When the framing is switched, a new one begins. */

import { Batch, type Decoder, type Framing } from "../codec.ts";
import { tailOf } from "../codec/internal.ts";
import type { Memory } from "../internal/memory.ts";
import { type LateMemory, lateMemory } from "./late_memory.ts";
import { NO_BYTES, type Raw, Tail } from "./raw.ts";

/**
 * A decoder, and what may have to be decoded anew by another framing: the bytes behind the last message,
 * and the memory in which the messages lie.
 */
export class Decoding {
  readonly framing: Framing;
  readonly decoder: Decoder;
  /** Gives the buffer into which the decoder wants the next bytes, if it wants them in one. */
  readonly readTarget: ((bytes: number) => Uint8Array | undefined) | undefined;
  /** Whether the framing may be switched. */
  readonly #isSwitchable: boolean;
  /** What the decoder gives back is kept here while it may be decoded anew. */
  readonly #memory: LateMemory | undefined;
  /** What was received behind the last message. Created when there is something for the first time. */
  #tail: Tail | undefined;

  /** `chunks` is the memory that the transport reads into, if the decoder is to give it back. */
  constructor(framing: Framing, isSwitchable: boolean, chunks: Memory | undefined) {
    const memory = chunks && isSwitchable ? lateMemory(chunks) : undefined;
    const decoder = framing.decoder(memory ?? chunks);
    this.framing = framing;
    this.decoder = decoder;
    this.readTarget = decoder.readTarget && ((bytes) => {
      const target = decoder.readTarget!(bytes);
      // What was gathered lies before the target now. So the memory that it came in is free.
      memory?.settle(target !== undefined && this.#tail?.moveBefore(target) === true);
      return target;
    });
    this.#isSwitchable = isSwitchable;
    this.#memory = memory;
  }

  /** The bytes behind the last message, as they came; undefined if they were too many to keep. */
  get rest(): Raw | undefined {
    return this.#tail === undefined ? NO_BYTES : this.#tail.raw;
  }

  /** Forgets the bytes behind the last message. */
  forgetRest(): void {
    this.#tail = undefined;
  }

  /** Decodes a chunk, or the end. If it throws, `messages` has those that come before the error. */
  decode(messages: Uint8Array[] | Batch, chunk: Uint8Array | undefined): void {
    if (messages instanceof Batch) this.decoder.decodeInto!(messages, chunk!);
    else if (chunk === undefined) this.decoder.end(messages);
    else this.decoder.decode(chunk, messages);
  }

  /** After `decode()`: keeps what is behind the messages, and gives the bytes that they came from. */
  keepRest(messages: Uint8Array[] | Batch, chunk: Uint8Array | undefined): Raw | undefined {
    const raw = this.#rawOf(messages.length > 0, chunk);
    // When the batch is given back, it was taken; but what is behind it may still be decoded anew.
    if (messages instanceof Batch && this.#memory !== undefined) {
      messages.returnTo(this.#tail?.keeps(chunk!) ? undefined : this.#memory.memory);
    }
    return raw;
  }

  /** After `decode()` has thrown: gives all bytes, also those behind the messages. */
  keepNothing(chunk: Uint8Array): Raw | undefined {
    const raw = this.#tail === undefined ? chunk : this.#tail.addAll(chunk);
    this.#memory?.settle(false);
    return raw;
  }

  /** The messages were queued: memory that no message lies in any more can be used again. */
  settle(isTaken: boolean, chunk: Uint8Array | undefined): void {
    this.#memory?.settle(isTaken, chunk);
  }

  /** The bytes that messages were decoded from. Keeps what is behind them. */
  #rawOf(isComplete: boolean, chunk = NO_BYTES): Raw | undefined {
    if (!this.#isSwitchable) return undefined;
    const tailBytes = tailOf(this.decoder);
    if (tailBytes === 0 && this.#tail === undefined) return chunk;
    this.#tail ??= new Tail(this.framing);
    return this.#tail.add(chunk, tailBytes, isComplete);
  }
}
