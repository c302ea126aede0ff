/** The framings that are tried besides lengths and frames of one size. */

import { type Framing, framing, FRAMING_KINDS, FramingTextError } from "../../codec.ts";

/** A framing that may fit. */
export interface Candidate {
  /** The framing as text. */
  readonly text: string;
  /** How unusual it is, in bits. */
  readonly cost: number;
  /** Whether its messages are text, so that their characters speak for it. */
  readonly isText?: boolean;
  /** The byte that ends frames and is nowhere else: that it is frequent speaks for it. */
  readonly ends?: number;
  /** The size of a frame, if all have the same. */
  readonly rows?: number;
}

/** Looked at otherwise: any stream fits to `none`, and lengths have a place of their own. */
const APART: readonly string[] = ["none", "length", "fixed", "staged", "duplex"];
/** Text between delimiters, and what is common. */
const KNOWN: readonly Candidate[] = [
  { text: "line", cost: 1, isText: true },
  { text: "delimiter(00)", cost: 4, isText: true },
  { text: "delimiter(0d)", cost: 8, isText: true },
  { text: "varint", cost: 3 },
  { text: "varint(endian:big)", cost: 5 },
  // Padding without content is like many other lengths.
  { text: "fcgi", cost: 14 },
  { text: "slip", cost: 5, ends: 0xc0 },
  { text: "slip(leadingEnd:true)", cost: 5, ends: 0xc0 },
];
/** What is not common. */
const COST = 5;

/** All kinds that need no parameter. */
export function kinds(): Candidate[] {
  const others = FRAMING_KINDS
    .filter((kind) => !APART.includes(kind) && !KNOWN.some(({ text }) => text === kind))
    .map((text) => ({ text, cost: COST }));
  return [...KNOWN, ...others].filter(({ text }) => made(text) !== undefined);
}

/** The framing of a text; undefined if it needs to be told more. */
function made(text: string): Framing | undefined {
  try {
    return framing(text as Parameters<typeof framing>[0]);
  } catch (error) {
    if (error instanceof FramingTextError) return undefined;
    throw error;
  }
}
