/**
 * What the other layers use of transport/, and nobody else: not exported by the package.
 *
 * @module
 */

export type { AcceptedPeer, TransportListener } from "./kind.ts";
export { kindOf } from "./kinds.ts";
export { memoryPair } from "./memory.ts";
export { parseProxy } from "./proxy.ts";
export { endpointReason } from "./reasons.ts";
export { CutError } from "./tls/errors.ts";
