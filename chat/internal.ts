/**
 * What the other layers use of chat/, and nobody else: not exported by the package.
 *
 * @module
 */

export { lineOf, type Row, rowsOf } from "./engine/events.ts";
export { parseEvent } from "./engine/parse.ts";
export { refusalInLine } from "./engine/refusals.ts";
