/**
 * What the page uses of the library. It stands in the page as one script, made small.
 *
 * @module
 */

export { connect } from "../../../connect/connect.ts";
export { text as textFormat } from "../../../format.ts";
export { Attempts, backoff } from "../../../internal/retry.ts";
