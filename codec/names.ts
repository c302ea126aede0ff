/** What framings are called, and how a name is written that has parameters. */

import { PRESET_NAMES, type PresetName } from "./presets/names.ts";

/**
 * The kinds of framings: what a text such as `length(bytes:4,offset:1)` begins with.
 * `docs/framings.md` tells what each kind is, and its parameters.
 */
export type FramingKind =
  | "length"
  | "varint"
  | "fixed"
  | "netstring"
  | "octetCounted"
  | "contentLength"
  | "recordMarking"
  | "fcgi"
  | "tpkt"
  | "delimiter"
  | "mllp"
  | "line"
  | "none"
  | "gobUvarint"
  | "slip"
  | "cobs"
  | "jsonStream"
  | "jsonSequence"
  | "berTlv"
  | "resp2"
  | "resp3"
  | "staged"
  | "duplex"
  | PresetName;

/** The names of framings without parameters. */
export type FramingName =
  | "u8"
  | "u16be"
  | "u16le"
  | "u24be"
  | "u32be"
  | "u32le"
  | "u64be"
  | "varint"
  | "line"
  | "none";

/**
 * What {@linkcode framing}, endpoints and the command line accept: a name such as `u32be`, or a kind
 * with parameters, such as `length(bytes:4,offset:1,adjustment:-4,strip:0)`.
 */
export type FramingText = FramingName | FramingKind | `${FramingKind}(${string})`;

/** All framing names, in the order of the documentation. */
export const FRAMING_NAMES: readonly FramingName[] = [
  "u8",
  "u16be",
  "u16le",
  "u24be",
  "u32be",
  "u32le",
  "u64be",
  "varint",
  "line",
  "none",
];

/** All kinds of framings, in the order of the documentation. */
export const FRAMING_KINDS: readonly FramingKind[] = [
  "length",
  "varint",
  "fixed",
  "netstring",
  "octetCounted",
  "contentLength",
  "recordMarking",
  "fcgi",
  "tpkt",
  "delimiter",
  "mllp",
  "line",
  "none",
  "gobUvarint",
  "slip",
  "cobs",
  "jsonStream",
  "jsonSequence",
  "berTlv",
  "resp2",
  "resp3",
  "staged",
  "duplex",
  ...PRESET_NAMES,
];

/** A parameter as it is given to {@linkcode canonical}. */
export type Given = string | number | boolean | undefined;

/**
 * A framing's name in canonical form: the kind, then in parentheses the parameters that differ from
 * their defaults. A caller gives undefined for a parameter that has its default, and gives the
 * parameters in the order of the catalog. `bare` are the parameters without a name.
 */
export function canonical(
  kind: FramingKind,
  parameters: Readonly<Record<string, Given>>,
  bare: readonly Given[] = [],
): FramingText {
  const named = Object.entries(parameters).filter(([_, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${value}`);
  const given = [...bare, ...named];
  return given.length === 0 ? kind : `${kind}(${given.join(",")})`;
}
