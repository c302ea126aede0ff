/** What a framing makes of the beginning of a stream. */

import type { Framing } from "../../codec.ts";

/** The beginning of a stream of bytes. */
export interface Sample {
  readonly bytes: Uint8Array;
  /** Whether this is the whole stream, so that a last message must be whole. */
  readonly isWhole: boolean;
}

/** A message, and where in the sample its frame is. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly message: Uint8Array;
}

/** A sample that was decoded. */
export interface Decoded {
  readonly cuts: readonly Cut[];
  /** Why decoding stopped before the end of the sample. */
  readonly error?: Error;
  /** Bytes behind the last whole message. */
  readonly restBytes: number;
}

/** Decodes a sample, and finds where each frame ends by giving the decoder one byte after another. */
export function decodeSample(framing: Framing, { bytes, isWhole }: Sample): Decoded {
  const cuts: Cut[] = [];
  const messages: Uint8Array[] = [];
  const decoder = framing.decoder();
  const own = bytes.slice(); // A decoder may write in what it is given.
  const take = (end: number) => {
    for (const message of messages.splice(0)) {
      cuts.push({ start: cuts.at(-1)?.end ?? 0, end, message: message.slice() });
    }
  };
  const rest = () => bytes.length - (cuts.at(-1)?.end ?? 0);
  try {
    for (let at = 0; at < bytes.length; at++) {
      decoder.decode(own.subarray(at, at + 1), messages);
      take(at + 1);
    }
    if (isWhole) {
      decoder.end(messages);
      take(bytes.length);
    }
    return { cuts, restBytes: rest() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { cuts, error, restBytes: rest() };
  }
}

/**
 * Whether a framing takes a sample, and still has the message at `place` whole. The decoder gets the sample in
 * `space`, which has the same length, since it may write there.
 */
export function fits(
  framing: Framing,
  sample: Sample,
  place: number,
  space: Uint8Array = new Uint8Array(sample.bytes.length),
): boolean {
  const decoder = framing.decoder();
  space.set(sample.bytes);
  try {
    const messages = decoder.decode(space);
    if (sample.isWhole) decoder.end(messages);
    return messages.length > place;
  } catch {
    return false;
  }
}
