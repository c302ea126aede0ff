/**
 * What the other layers use of session/, and nobody else: not exported by the package.
 *
 * @module
 */

export { carrierSettings } from "./carrier.ts";
export { isRetriableCode } from "./codes.ts";
export { resolveSessionOptions } from "./options.ts";
export { encodeRefused, FrameType } from "./wire.ts";
