/**
 * What the other layers use of codec/, and nobody else: not exported by the package.
 *
 * @module
 */

export { endOfMessages, tailOf } from "./boundary.ts";
export { inOf, outOf } from "./duplex.ts";
export { checkLimit, DEFAULT_MAX_MESSAGE_BYTES, EMPTY } from "./framing.ts";
export { Gather } from "./gather.ts";
export { hint } from "./hint.ts";
export { whole } from "./whole.ts";
