/** Every kind of framing that can be written as text, with its parameters. */

import type { Framing } from "./framing.ts";
import { lengthPrefix, type LengthPrefixOptions } from "./length_prefix.ts";
import { line } from "./line.ts";
import type { FramingKind } from "./names.ts";
import { none } from "./none.ts";
import type { Parameter } from "./parameters.ts";
import { varint } from "./varint.ts";

/**
 * A kind of framing. All of it is data but for `make`, and nothing runs when this module is loaded:
 * so a bundler leaves the catalog out of a program that does not use it.
 */
export interface Kind {
  /** What it is, in one sentence. */
  readonly help: string;
  /** A text that works. */
  readonly example: string;
  /** The parameters, in the order of the canonical form. Their names are those of the options. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The parameter that an argument without a name gives. */
  readonly bare?: string;
  /**
   * Makes the framing. Whoever writes the function sets the framing's `name` with `canonical()` of
   * names.ts.
   */
  // `never` takes the function of every kind: the parameters make sure that the options are right.
  readonly make: (options: never) => Framing;
}

/** All kinds, in the order of the documentation. */
export const CATALOG: Readonly<Record<FramingKind, Kind>> = {
  length: {
    help: "A length of fixed width, anywhere in a header.",
    example: "length(offset:1,adjustment:-4,strip:0)",
    parameters: {
      bytes: {
        type: "word",
        words: { 1: 1, 2: 2, 3: 3, 4: 4, 8: 8 },
        default: "4",
        help: "Width of the length, in bytes.",
      },
      endian: {
        type: "word",
        words: { big: "big", little: "little" },
        default: "big",
        help: "Byte order of the length.",
      },
      offset: {
        type: "integer",
        min: 0,
        max: 1024,
        default: "0",
        help: "Bytes before the length.",
      },
      adjustment: {
        type: "integer",
        min: -(2 ** 31),
        max: 2 ** 31,
        help: "What to add to the length to get the bytes that follow it; 0 by default.",
      },
      includesHeader: {
        type: "boolean",
        default: "false",
        help: "The length counts the whole frame.",
      },
      strip: {
        type: "integer",
        min: 0,
        max: 4096,
        help: "Bytes at the start that are not part of the message; by default the header.",
      },
    },
    make: lengthPrefix,
  },
  varint: {
    help: "A length in groups of 7 bits.",
    example: "varint",
    parameters: {},
    make: varint,
  },
  line: {
    help: "Lines of text, up to LF or CRLF.",
    example: "line(newline:crlf,telnet:false)",
    parameters: {
      newline: {
        type: "word",
        words: { lf: "\n", crlf: "\r\n" },
        default: "lf",
        help: "What ends each line that is sent.",
      },
      telnet: {
        type: "boolean",
        default: "true",
        help: "The peer may be telnet: its commands are obeyed or dropped.",
      },
    },
    make: line,
  },
  none: {
    help: "Chunks as they come.",
    example: "none",
    parameters: {},
    make: none,
  },
};

/** The names that stand for `length()` with these options. */
export const LENGTHS: Readonly<Record<string, LengthPrefixOptions>> = {
  u8: { bytes: 1 },
  u16be: { bytes: 2 },
  u16le: { bytes: 2, endian: "little" },
  u24be: { bytes: 3 },
  u32be: {},
  u32le: { endian: "little" },
  u64be: { bytes: 8 },
};
