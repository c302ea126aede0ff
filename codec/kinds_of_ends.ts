/** The catalog of framings whose frames have a mark at their end, or none. */

import { cobs } from "./cobs.ts";
import { delimiter, type DelimiterOptions } from "./delimiter.ts";
import type { Kind } from "./kind.ts";
import { line } from "./line.ts";
import { mllp } from "./mllp.ts";
import { none } from "./none.ts";
import { slip } from "./slip.ts";

/** `delimiter(…)`. */
export const DELIMITER: Kind = {
  help: "Messages up to certain bytes.",
  example: "delimiter(0d0a,0a)",
  parameters: {
    delimiters: {
      type: "bytes",
      max: 64,
      required: true,
      several: true,
      help: "The bytes that end a message, the first of which are sent.",
    },
    keep: {
      type: "boolean",
      default: "false",
      help: "Messages contain their delimiter.",
    },
    openEnd: {
      type: "boolean",
      default: "false",
      help: "What stands behind the last delimiter is a message.",
    },
  },
  bare: "delimiters",
  make: ({ delimiters, ...options }: DelimiterOptions & { delimiters: Uint8Array[] }) =>
    delimiter(delimiters, options),
};

/** `mllp`. */
export const MLLP: Kind = {
  help: "HL7's envelope: 0b before a message, 1c0d behind it.",
  example: "mllp",
  parameters: {},
  make: mllp,
};

/** `line(…)`. */
export const LINE: Kind = {
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
};

/** `none`. */
export const NONE: Kind = {
  help: "Chunks as they come.",
  example: "none",
  parameters: {},
  make: none,
};

/** `slip(…)`. */
export const SLIP: Kind = {
  help: "Frames of serial lines that end with 0xC0, with escapes (RFC 1055).",
  example: "slip(leadingEnd:true)",
  parameters: {
    leadingEnd: {
      type: "boolean",
      default: "false",
      help: "Each frame that is sent begins with 0xC0, too.",
    },
  },
  make: slip,
};

/** `cobs`. */
export const COBS: Kind = {
  help: "Frames of serial lines that end with 0x00, in blocks without zeros.",
  example: "cobs",
  parameters: {},
  make: cobs,
};
