/**
 * What a page or a worker uses, as one module: `lengthwise.js` is made of this file.
 *
 * @module
 */

import * as errors from "./errors.ts";
import { nameErrors } from "./names.ts";

export { backoff, connect, reconnect } from "../connect/connect.ts";
export { requests } from "../request.ts";
export { Session } from "../session.ts";
export { bytes, json, text } from "../format.ts";
export * from "./errors.ts";

nameErrors(errors);
