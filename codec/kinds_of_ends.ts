/** The catalog of framings whose frames have a mark at their end, or none. */

import { cobs } from "./cobs.ts";
import type { Kind } from "./kind.ts";
import { line } from "./line.ts";
import { none } from "./none.ts";
import { slip } from "./slip.ts";

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
