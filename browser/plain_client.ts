/**
 * Connections and formats for pages, without sessions and requests: `lengthwise-plain.js` is made of this
 * file.
 *
 * @module
 */

import { nameErrors } from "./names.ts";
import * as errors from "./plain_errors.ts";

export { backoff, connect, reconnect } from "../connect/connect.ts";
export { bytes, json, text } from "../format.ts";
export * from "./plain_errors.ts";

nameErrors(errors);
