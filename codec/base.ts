/** What most framings have in common. */

import { checkLimit, type Decoder, encodeWhole, type Framing } from "./framing.ts";
import { DEFAULT_MAX_MESSAGE_BYTES } from "./framing.ts";
import type { Memory } from "../internal/memory.ts";

/** A framing that keeps boundaries. Those that can send a message without copying it say more. */
export abstract class BaseFraming implements Framing {
  readonly keepsBoundaries = true;
  abstract readonly name: string;
  abstract readonly maxMessageBytes: number;
  abstract withLimit(maxMessageBytes: number): Framing;
  abstract decoder(memory?: Memory): Decoder;
  abstract frameBytes(message: Uint8Array): number;
  abstract encodeInto(message: Uint8Array, target: Uint8Array, at: number): number;

  encodeParts(message: Uint8Array): Uint8Array[] {
    return [this.encode(message)];
  }

  encode(message: Uint8Array): Uint8Array {
    return encodeWhole(this, message);
  }
}

/**
 * The limit of a framing whose frames carry at most `most` bytes.
 *
 * @throws {RangeError} for a limit out of range.
 */
export function limitOf(kind: string, maxMessageBytes: number | undefined, most: number): number {
  const limit = checkLimit(maxMessageBytes ?? Math.min(DEFAULT_MAX_MESSAGE_BYTES, most));
  if (limit > most) {
    throw new RangeError(
      `Cannot use maxMessageBytes ${limit} together with ${kind}: a frame carries at most ${most}`,
    );
  }
  return limit;
}
