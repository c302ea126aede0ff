/** Looks for a stream whose framing changes: a greeting, and then frames. */

import { type Guess, guess } from "./guess.ts";
import { lengthsIn } from "./lengths.ts";
import type { Sample } from "./sample.ts";

/** A framing that begins behind a first part. */
export interface Change {
  /** How long the first part is, in each sample. */
  readonly bytes: number;
  /** What fits behind it. */
  readonly guess: Guess;
}

/** So many bytes may stand first; of lines, so many. */
const MAX_FIRST_BYTES = 128;
const MAX_LINES_BYTES = 2_048;
/** What a change needs to be told, in bits: many places are tried. */
const MIN_BITS = 24;

/** The likeliest change, if there is one. */
export function changeIn(samples: readonly Sample[]): Change | undefined {
  const behind = (bytes: number) =>
    samples.map((sample) => ({ ...sample, bytes: sample.bytes.subarray(bytes) }));
  let best: { bytes: number; bits: number } | undefined;
  for (const bytes of placesIn(samples)) {
    const [first] = lengthsIn(behind(bytes), 1);
    if (first === undefined) continue;
    const bits = first.bits - first.cost;
    if (bits >= MIN_BITS && bits > (best?.bits ?? 0)) best = { bytes, bits };
  }
  if (best === undefined) return undefined;
  const [first] = guess(behind(best.bytes)).fitting;
  return first === undefined ? undefined : { bytes: best.bytes, guess: first };
}

function placesIn(samples: readonly Sample[]): Set<number> {
  const [{ bytes }] = samples;
  const shortest = Math.min(...samples.map((sample) => sample.bytes.length));
  const places = new Set<number>();
  for (let at = 1; at <= Math.min(MAX_FIRST_BYTES, shortest - 8); at++) places.add(at);
  for (let at = 0; at < Math.min(MAX_LINES_BYTES, shortest - 8); at++) {
    if (bytes[at] === 0x0a) places.add(at + 1);
  }
  return places;
}
