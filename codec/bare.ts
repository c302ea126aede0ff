/** What framings share that add nothing to a message. */

import type { Framing } from "./framing.ts";

/** Encoding that is copying, at most. */
export const BARE: Pick<Framing, "frameBytes" | "encodeInto" | "encodeParts" | "encode"> = {
  frameBytes: (message) => message.length,
  encodeInto(message, target, at) {
    target.set(message, at);
    return at + message.length;
  },
  encodeParts: (message) => [message],
  encode: (message) => message.slice(),
};
