/** Which framings fit to the beginning of a stream, and how well. */

import { type Framing, framing, FRAMING_KINDS, type FramingText } from "../../codec.ts";
import { columnEvidence, endEvidence, evidenceIn, textEvidence } from "./evidence.ts";
import { type Candidate, kinds } from "./kinds.ts";
import { lengthsIn } from "./lengths.ts";
import { type Decoded, decodeSample, type Sample } from "./sample.ts";

/** A framing that fits. */
export interface Guess {
  /** The framing as text, for endpoints and options. */
  readonly framing: string;
  /** Other framings that make the same messages of these bytes. */
  readonly also: readonly string[];
  /** How likely it is, from 0 to 1, beside the others and beside none of them. */
  readonly share: number;
  /** What speaks for it, in bits: 10 are a thousand to one. */
  readonly bits: number;
  /** The messages of each sample. */
  readonly decoded: readonly Decoded[];
}

/** A framing that fits to the beginning only. */
export interface Begun {
  readonly framing: string;
  /** How many messages came before the error. */
  readonly messages: number;
  /** Where their frames end. */
  readonly end: number;
  /** Why it went no further. */
  readonly error: Error;
}

/** What came of looking. */
export interface Guesses {
  /** The framings that fit, the likeliest first. */
  readonly fitting: readonly Guess[];
  /** The framings that fit to the beginning only, those that get furthest first. */
  readonly begun: readonly Begun[];
}

/** Framings with less than this against all that is usual are not told, in bits. */
const MIN_BITS = 6;
/** What fits to fewer messages before an error is not told. */
const MIN_MESSAGES = 3;
/** So many framings by length are looked at closely. */
const MAX_LENGTHS = 16;
/** Further evidence says nothing more. */
const MAX_BITS = 400;

const USUAL = ["u16be", "u16le", "u32be", "u32le"];

/** Looks for the framing that all samples have: the directions of a connection, or one of them. */
export function guess(samples: readonly Sample[]): Guesses {
  const tried = candidatesFor(samples).map((candidate) => tryOne(candidate, samples));
  const fitting = tried.filter((one) => one.error === undefined && one.messages > 0);
  for (const one of fitting) one.bits = bitsOf(one, samples);
  const groups = [...Map.groupBy(fitting, ({ decoded }) => fingerprint(decoded)).values()]
    .map((group) => together(group))
    .filter(({ bits }) => bits >= MIN_BITS)
    .sort((a, b) => b.bits - a.bits);
  const weights = groups.map(({ bits }) => 2 ** (bits - groups[0].bits));
  const sum = weights.reduce((total, weight) => total + weight, 2 ** -(groups[0]?.bits ?? 0));
  return {
    fitting: groups.map((one, index) => ({ ...one, share: weights[index] / sum })),
    begun: tried.flatMap(({ text, error, messages, end }) =>
      error === undefined || messages < MIN_MESSAGES
        ? []
        : [{ framing: text, messages, end, error }]
    ).sort((a, b) => b.end - a.end),
  };
}

function candidatesFor(samples: readonly Sample[]): Candidate[] {
  const smallest = Math.min(...samples.map(({ bytes }) => bytes.length));
  const lengths = lengthsIn(samples, MAX_LENGTHS);
  // The usual ones are tried in any case, because it is worth telling how far they get.
  const usual = USUAL.filter((text) => !lengths.some((one) => one.text === text));
  return [
    ...lengths,
    ...usual.map((text) => ({ text, cost: 1 })),
    ...kinds(),
    ...rowsIn(samples, smallest).slice(0, FRAMING_KINDS.includes("fixed" as never) ? 3 : 0),
  ];
}

/** Sizes of fixed frames that show columns. */
function rowsIn(samples: readonly Sample[], smallest: number): Candidate[] {
  const found: (Candidate & { bits: number })[] = [];
  for (let size = 2; size <= Math.min(2_048, smallest / 3); size++) {
    if (samples.some(({ bytes, isWhole }) => isWhole && bytes.length % size !== 0)) continue;
    const bits = samples.reduce((sum, sample) => sum + columnEvidence(sample, size), 0);
    // A multiple of a size has the same columns.
    if (bits > 0) {
      found.push({ text: `fixed(${size})`, cost: 6 + Math.log2(size), rows: size, bits });
    }
  }
  return found.sort((a, b) => b.bits - b.cost - (a.bits - a.cost)).slice(0, 3);
}

interface Tried extends Candidate {
  readonly framing: Framing;
  readonly decoded: Decoded[];
  readonly messages: number;
  readonly end: number;
  readonly error: Error | undefined;
  bits: number;
}

function tryOne(candidate: Candidate, samples: readonly Sample[]): Tried {
  const made = framing(candidate.text as FramingText);
  const decoded = samples.map((sample) => decodeSample(made, sample));
  return {
    ...candidate,
    framing: made,
    decoded,
    messages: decoded.reduce((sum, { cuts }) => sum + cuts.length, 0),
    end: decoded.reduce((sum, { cuts }) => sum + (cuts.at(-1)?.end ?? 0), 0),
    error: decoded.find(({ error }) => error !== undefined)?.error,
    bits: 0,
  };
}

function bitsOf(one: Tried, samples: readonly Sample[]): number {
  const bits = samples.reduce((sum, sample, index) => sum + bitsIn(one, sample, index), 0);
  return Math.min(bits, MAX_BITS) - one.cost;
}

function bitsIn({ framing, decoded, isText, ends, rows }: Tried, sample: Sample, index: number) {
  const found = decoded[index];
  if (rows !== undefined) return columnEvidence(sample, rows);
  let bits = evidenceIn(framing, sample, found);
  if (ends !== undefined) bits += endEvidence(sample, ends);
  // Whatever is between two delimiters is a message: what speaks for lines is that they are text.
  if (isText) bits += textEvidence(sample, found);
  return bits;
}

/** What speaks for two framings may differ by this share only because their limits of size differ. */
const SLACK = 0.2;

/** The most usual of the framings that make the same messages, and the names of the others. */
function together(group: readonly Tried[]): Omit<Guess, "share"> {
  const most = Math.max(...group.map(({ bits, cost }) => bits + cost));
  const equal = group.filter(({ bits, cost }) => bits + cost >= most - Math.abs(most) * SLACK);
  const [best] = equal.toSorted((a, b) => a.cost - b.cost || b.bits - a.bits);
  const { decoded, framing: { name } } = best;
  const also = [...new Set(group.map(({ framing }) => framing.name))];
  const bits = Math.max(...group.map((one) => one.bits));
  return { framing: name, also: also.filter((other) => other !== name), bits, decoded };
}

function fingerprint(decoded: readonly Decoded[]): string {
  return decoded.map(({ cuts }) => cuts.map(({ start, end }) => `${start}-${end}`).join()).join(
    " ",
  );
}
