/**
 * What the other layers use of files/, and nobody else: not exported by the package.
 *
 * @module
 */

export { Checksum } from "./checksum.ts";
export { fileError } from "./errors.ts";
export { openTarget } from "./get.ts";
