/**
 * What the other layers use of session/, and nobody else: not exported by the package.
 *
 * @module
 */

export { carrierSettings } from "./carrier.ts";
export { type Elsewhere, TAG_BYTES } from "./elsewhere.ts";
export { isRetriableCode, SessionCode } from "./codes.ts";
export { refusal } from "./faults.ts";
export { resolveSessionOptions } from "./options.ts";
export { encodeHello, encodeRefused, FrameType } from "./wire.ts";
