/**
 * What the other layers use of request/, and nobody else: not exported by the package.
 *
 * @module
 */

export type { StartOptions } from "./call.ts";
export { wrongKind } from "./failures.ts";
export { decodeNotice, encodeLastingNotice, type Notice } from "./notice.ts";
export { Peer } from "./peer.ts";
export { drop, isAsyncIterable, isThenable } from "./results.ts";
export { type Expiring, Timeouts } from "./timeouts.ts";
export { type Encoded, encodeValue, Ready } from "./values.ts";
export { fitsName, LEAST } from "./wire.ts";
export type { Handler } from "./work.ts";
