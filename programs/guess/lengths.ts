/** Looks for lengths: which numbers in a stream point from one frame to the next. */

import type { Sample } from "./sample.ts";

/** A framing by length that may fit. */
export interface LengthGuess {
  /** The framing as text. */
  readonly text: string;
  /** What speaks for it, roughly, in bits. */
  readonly bits: number;
  /** How unusual it is, in bits. */
  readonly cost: number;
}

const WIDTHS = [1, 2, 3, 4, 8] as const;
/** So many bytes before a length are tried, and so many uncounted ones behind it. */
const MAX_OFFSET = 12;
const MAX_UNCOUNTED = 8;
const SHORT: Record<string, string> = {
  "1be": "u8",
  "2be": "u16be",
  "2le": "u16le",
  "3be": "u24be",
  "4be": "u32be",
  "4le": "u32le",
  "8be": "u64be",
};

/** The framings by length that take all samples, the best first. */
export function lengthsIn(samples: readonly Sample[], count: number): LengthGuess[] {
  const found: LengthGuess[] = [];
  for (const bytes of WIDTHS) {
    for (const endian of bytes === 1 ? ["be"] : ["be", "le"]) {
      for (let offset = 0; offset <= MAX_OFFSET; offset++) {
        const header = offset + bytes;
        const added = new Set([header, 0, offset]);
        for (let more = 1; more <= MAX_UNCOUNTED; more++) added.add(header + more);
        for (const add of added) {
          const shape: Shape = { bytes, isLittle: endian === "le", offset, add };
          const bits = walkAll(samples, shape);
          if (bits === undefined) continue;
          found.push({ text: textOf(shape), bits, cost: costOf(shape) });
        }
      }
    }
  }
  return found.sort((a, b) => b.bits - b.cost - (a.bits - a.cost)).slice(0, count);
}

/** Where the length stands, and what to add to it to get the size of the frame. */
interface Shape {
  readonly bytes: typeof WIDTHS[number];
  readonly isLittle: boolean;
  readonly offset: number;
  readonly add: number;
}

function walkAll(samples: readonly Sample[], shape: Shape): number | undefined {
  let sum = 0;
  for (const sample of samples) {
    const bits = walk(sample, shape);
    if (bits === undefined) return undefined;
    sum += bits;
  }
  return sum;
}

/** What speaks for a shape: lengths that could be anything, and stay within the sample. */
function walk({ bytes, isWhole }: Sample, shape: Shape): number | undefined {
  const header = shape.offset + shape.bytes;
  let at = 0;
  let bits = 0;
  let frames = 0;
  while (at + header <= bytes.length) {
    const length = lengthAt(bytes, at + shape.offset, shape);
    const size = length + shape.add;
    const left = bytes.length - at;
    if (size < header) return undefined;
    if (size > left) {
      if (isWhole || size > 16 * 1024 * 1024) return undefined;
      break;
    }
    // A length of 0 may be just zeros.
    if (length > 0) bits += Math.max(0, 8 * shape.bytes - Math.log2(left + 1));
    at += size;
    frames++;
  }
  if (isWhole && at < bytes.length || frames === 0) return undefined;
  return bits;
}

function lengthAt(bytes: Uint8Array, at: number, { bytes: width, isLittle }: Shape): number {
  let length = 0;
  for (let index = 0; index < width; index++) {
    length = length * 256 + bytes[at + (isLittle ? width - 1 - index : index)];
  }
  return length;
}

function textOf({ bytes, isLittle, offset, add }: Shape): string {
  const header = offset + bytes;
  const short = SHORT[`${bytes}${isLittle ? "le" : "be"}`];
  if (offset === 0 && add === header && short !== undefined) return short;
  const parameters = [`bytes:${bytes}`];
  if (isLittle) parameters.push("endian:little");
  if (offset > 0) parameters.push(`offset:${offset}`);
  if (add === 0) parameters.push("includesHeader:true");
  else if (add !== header) parameters.push(`adjustment:${add - header}`);
  if (offset > 0) parameters.push("strip:0"); // What stands before a length has a meaning.
  return `length(${parameters.join(",")})`;
}

/** Thousands of shapes are tried, so an unusual one fits somewhere by chance. */
function costOf(shape: Shape): number {
  const { bytes, isLittle, offset, add } = shape;
  const header = offset + bytes;
  let cost = isLittle ? 2 : 1;
  if (!SHORT[`${bytes}${isLittle ? "le" : "be"}`]) cost += 4;
  if (offset > 0) cost += 8 + offset / 2;
  if (add === header) return cost;
  return cost + (add === 0 || add === offset ? 4 : 6 + (add - header));
}
