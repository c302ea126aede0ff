/**
 * How much speaks for a framing: the number of bits of a stream that would be otherwise if the stream
 * had another framing.
 */

import type { Framing } from "../../codec.ts";
import { type Cut, type Decoded, fits, type Sample } from "./sample.ts";

/** So many frames are looked at, each with so many bytes at its start and its end. */
const FRAMES = 8;
const STARTS = 24;
const ENDS = 4;
/** So many other values are tried in the place of a byte. */
const TRIALS = 16;
/** What is behind these bytes does not change the answer, and takes time. */
const CONTEXT_BYTES = 2_048;

/**
 * Puts other bytes in the place of those of some frames. If the framing takes nearly all of them, the
 * byte is free, and says nothing. If the framing takes hardly any, the byte was determined by the
 * framing, and that it has its value speaks for the framing.
 */
export function evidenceIn(framing: Framing, sample: Sample, { cuts }: Decoded): number {
  const places = distinct(sample.bytes, cuts);
  const near = places.filter((place) => cuts[place].end <= CONTEXT_BYTES);
  const looked = spread(near.length === 0 ? places.slice(0, 1) : near, FRAMES);
  if (looked.length === 0) return 0;
  const context = nearby(sample, cuts[looked.at(-1)!]);
  let bits = 0;
  for (const place of looked) {
    if (!fits(framing, context, place)) continue; // Only the end makes it whole.
    for (const at of placesOf(cuts[place])) bits += determined(framing, context, place, at);
  }
  const whole = sample.isWhole ? Math.log2(sample.bytes.length / cuts.length + 1) : 0;
  return bits / looked.length * places.length + whole;
}

/**
 * The places of frames that say something new: not the same as one before, and not just zeros, which
 * may be filling.
 */
function distinct(bytes: Uint8Array, cuts: readonly Cut[]): number[] {
  const known = new Set<string>();
  return [...cuts.keys()].filter((place) => {
    const { start, end } = cuts[place];
    const frame = bytes.subarray(start, end);
    const digits = frame.toHex();
    if (known.has(digits) || frame.every((byte) => byte === 0)) return false;
    known.add(digits);
    return true;
  });
}

function spread(places: readonly number[], count: number): number[] {
  const step = Math.max(1, places.length / count);
  const some: number[] = [];
  for (let at = 0; at < places.length && some.length < count; at += step) {
    some.push(places[Math.floor(at)]);
  }
  return some;
}

/**
 * The part of a sample that is tried with other bytes. Its end is open, because frames that went
 * wrong somewhere miss it anyway, and it is to count once and not in each place.
 */
function nearby({ bytes }: Sample, cut: Cut): Sample {
  return { bytes: bytes.subarray(0, Math.max(CONTEXT_BYTES, cut.end)), isWhole: false };
}

function placesOf({ start, end }: Cut): Set<number> {
  const places = new Set<number>();
  for (let at = start; at < Math.min(end, start + STARTS); at++) places.add(at);
  for (let at = Math.max(start, end - ENDS); at < end; at++) places.add(at);
  return places;
}

function determined(framing: Framing, sample: Sample, place: number, at: number): number {
  const bytes = sample.bytes.slice();
  const changed = { ...sample, bytes };
  const space = new Uint8Array(bytes.length);
  let taken = 0;
  for (let trial = 1; trial <= TRIALS; trial++) {
    // Steps of an odd number reach all values, and the same ones in each run.
    bytes[at] = sample.bytes[at] + trial * 97;
    if (fits(framing, changed, place, space)) taken++;
  }
  return -Math.log2((taken + 0.25) / (TRIALS + 0.25));
}

/**
 * What speaks for text between delimiters, in bits: printable characters in messages that have their
 * delimiter. Negative if there are control characters in a message, or in what is behind the last one.
 */
export function textEvidence({ bytes }: Sample, { cuts, restBytes }: Decoded): number {
  const rest = bytes.subarray(bytes.length - restBytes);
  const ended = cuts.filter(({ start, end, message }) => end - start > message.length);
  const size = ended.reduce((sum, { message }) => sum + message.length, 0);
  const ends = size > 0 && restBytes === 0 ? 8 : 0;
  const texts = [...cuts.map(({ message }) => message), rest];
  const strange = texts.reduce((sum, text) => sum + controlsIn(text.subarray(0, CONTEXT_BYTES)), 0);
  return Math.min(size, 40) + ends - strange * 20;
}

/** How many characters stand in no text. The last one may be cut off. */
function controlsIn(bytes: Uint8Array): number {
  const text = new TextDecoder().decode(bytes, { stream: true });
  // deno-lint-ignore no-control-regex
  return text.match(/[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]/g)?.length ?? 0;
}

/** What speaks for frames of one size: columns that are the same in all of them, in bits. */
export function columnEvidence({ bytes }: Sample, size: number): number {
  const rows = Math.floor(bytes.length / size);
  if (rows < 3) return 0;
  let bits = 0;
  for (let column = 0; column < size; column++) {
    const first = bytes[column];
    let same = 1;
    while (same < rows && bytes[same * size + column] === first) same++;
    // Zeros may be filling, and say nothing.
    if (same === rows && first !== 0) bits += (rows - 1) * 6;
  }
  return bits;
}

/** What speaks for a byte that ends frames: that it is more frequent than others, in bits. */
export function endEvidence({ bytes, isWhole }: Sample, end: number): number {
  const count = bytes.reduce((sum, byte) => sum + (byte === end ? 1 : 0), 0);
  const expected = bytes.length / 256;
  if (count <= expected) return 0;
  const frequent = count * Math.log2(count / expected) - (count - expected) * Math.LOG2E;
  return frequent + (isWhole && bytes.at(-1) === end ? 8 : 0);
}
