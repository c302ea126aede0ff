/**
 * What the other layers use of listen/, and nobody else: not exported by the package.
 *
 * @module
 */

export { endReason } from "./ends.ts";
