/** Framings in the script without sessions: a WebSocket message is a message. */

import { whole } from "../../codec/whole.ts";

export { Batch } from "./batch.ts";

/** The settings want one before the transport brings its own. */
export function framing() {
  return whole();
}
