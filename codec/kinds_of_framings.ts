/** The kinds of framings that are made of other framings, for the catalog. */

import { duplex, type DuplexOptions } from "./duplex.ts";
import type { Framing, FramingOptions } from "./framing.ts";
import type { Kind } from "./kind.ts";
import { staged, type StagedOptions } from "./staged.ts";

/** `staged(…)`. */
export const STAGED: Kind = {
  help: "A framing for the first messages, and another one for the rest.",
  example: "staged(length(adjustment:-4),length(offset:1,adjustment:-4,strip:0))",
  parameters: {
    framings: {
      type: "framing",
      several: true,
      required: true,
      help: "The two framings, in their order.",
    },
    messages: {
      type: "integer",
      min: 1,
      max: 1024,
      default: "1",
      help: "How many messages have the first framing.",
    },
  },
  bare: "framings",
  make: (
    { framings, maxMessageBytes, ...options }:
      & FramingOptions
      & StagedOptions
      & { readonly framings: readonly Framing[] },
  ) => {
    if (framings.length !== 2) {
      throw new TypeError(`Cannot use ${framings.length} framings: it must be two`);
    }
    return limited(staged(framings[0], framings[1], options), maxMessageBytes);
  },
};

/** `duplex(…)`. */
export const DUPLEX: Kind = {
  help: "A framing for what is received, and another one for what is sent.",
  example: "duplex(in:line,out:u16be)",
  parameters: {
    in: { type: "framing", required: true, help: "The framing of what is received." },
    out: { type: "framing", required: true, help: "The framing of what is sent." },
  },
  make: ({ maxMessageBytes, ...framings }: FramingOptions & DuplexOptions) =>
    limited(duplex(framings), maxMessageBytes),
};

function limited(framing: Framing, maxMessageBytes: number | undefined): Framing {
  return maxMessageBytes === undefined ? framing : framing.withLimit(maxMessageBytes);
}
