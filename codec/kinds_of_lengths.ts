/** The catalog of framings whose frames tell their length. */

import { gobUvarint } from "./gob_uvarint.ts";
import { contentLength } from "./content_length.ts";
import { fcgi } from "./fcgi.ts";
import { fixed } from "./fixed.ts";
import type { FramingOptions } from "./framing.ts";
import type { Kind } from "./kind.ts";
import { lengthPrefix } from "./length_prefix.ts";
import { netstring } from "./netstring.ts";
import { octetCounted } from "./octet_counted.ts";
import { recordMarking } from "./record_marking.ts";
import { tpkt } from "./tpkt.ts";
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
  parameters: {
    endian: {
      type: "word",
      words: { little: "little", big: "big" },
      default: "little",
      help: "Order of the groups; big is that of BER, MIDI and Perl's pack w.",
    },
  },
  make: varint,
};

/** `gobUvarint`. */
export const GOB_UVARINT: Kind = {
  help: "The length of Go's encoding/gob: one byte below 128, or its bytes behind their number.",
  example: "gobUvarint",
  parameters: {},
  make: gobUvarint,
};

/** `fixed(…)`. */
export const FIXED: Kind = {
  help: "Messages of one size.",
  example: "fixed(188)",
  parameters: {
    bytes: {
      type: "integer",
      min: 1,
      max: 9_007_199_254_740_991,
      required: true,
      help: "Size of each message.",
    },
  },
  bare: "bytes",
  make: ({ bytes, ...options }: FramingOptions & { bytes: number }) => fixed(bytes, options),
};

/** `netstring`. */
export const NETSTRING: Kind = {
  help: "A length in decimal digits, a colon, the message, a comma.",
  example: "netstring",
  parameters: {},
  make: netstring,
};

/** `octetCounted(…)`. */
export const OCTET_COUNTED: Kind = {
  help: "Syslog over TCP: a decimal length and a space, or a line (RFC 6587).",
  example: "octetCounted",
  parameters: {
    send: {
      type: "word",
      words: { counted: "counted", lines: "lines" },
      default: "counted",
      help: "What is sent.",
    },
    accept: {
      type: "word",
      words: { both: "both", counted: "counted" },
      default: "both",
      help: "What is taken.",
    },
  },
  make: octetCounted,
};

/** `contentLength(…)`. */
export const CONTENT_LENGTH: Kind = {
  help: "A header with Content-Length, as language servers and debuggers have it.",
  example: "contentLength",
  parameters: {
    keepHeader: {
      type: "boolean",
      default: "false",
      help: "Messages contain their header.",
    },
  },
  make: contentLength,
};

/** `recordMarking(…)`. */
export const RECORD_MARKING: Kind = {
  help: "Fragments of ONC RPC, put together (RFC 5531).",
  example: "recordMarking",
  parameters: {
    maxFragmentBytes: {
      type: "integer",
      min: 1,
      max: 2_147_483_647,
      default: "2147483647",
      help: "The largest fragment to send.",
    },
  },
  make: recordMarking,
};

/** `fcgi(…)`. */
export const FCGI: Kind = {
  help: "Records of FastCGI, with their header.",
  example: "fcgi",
  parameters: {
    keepPadding: {
      type: "boolean",
      default: "false",
      help: "Messages contain their padding.",
    },
  },
  make: fcgi,
};

/** `tpkt(…)`. */
export const TPKT: Kind = {
  help: "ISO transport over TCP: version 3, and a length that counts the header (RFC 1006).",
  example: "tpkt",
  parameters: {
    keepHeader: {
      type: "boolean",
      default: "false",
      help: "Messages contain their header.",
    },
  },
  make: tpkt,
};
