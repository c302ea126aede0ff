/** The catalog of framings whose frames tell their length. */

import { gobUvarint } from "./gob_uvarint.ts";
import type { Kind } from "./kind.ts";
import { lengthPrefix } from "./length_prefix.ts";
import { varint } from "./varint.ts";

/** `length(…)` and the names such as `u32be`. */
export const LENGTH: Kind = {
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
      min: -2_147_483_648,
      max: 2_147_483_648,
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
};

/** `varint`. */
export const VARINT: Kind = {
  help: "A length in groups of 7 bits.",
  example: "varint",
  parameters: {},
  make: varint,
};

/** `gobUvarint`. */
export const GOB_UVARINT: Kind = {
  help: "The length of Go's encoding/gob: one byte below 128, or its bytes behind their number.",
  example: "gobUvarint",
  parameters: {},
  make: gobUvarint,
};
