/**
 * What the page uses of the library. It stands in the page as one script, made small.
 *
 * @module
 */

export { connect } from "../../../connect/connect.ts";
export { openAt } from "../../../connect/internal.ts";
export { text as textFormat } from "../../../format.ts";
export { Attempts, backoff } from "../../../internal/retry.ts";
export { SessionCode } from "../../../session.ts";
export { SESSION_SUBPROTOCOL } from "../../../transport/internal.ts";
