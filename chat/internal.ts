/**
 * What other rooms of this module use of chat/, and nobody else: not exported by the package.
 *
 * @module
 */

export { refusalIn } from "./engine/refusals.ts";
