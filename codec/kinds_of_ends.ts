/** The catalog of framings whose frames have a mark at their end, or none. */

import type { Kind } from "./kind.ts";
import { line } from "./line.ts";
import { none } from "./none.ts";

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
