/**
 * What the other layers use of transport/, and nobody else: not exported by the package.
 *
 * @module
 */

export type {
  AcceptedPeer,
  OpenOptions,
  TransportListener,
  TransportListenOptions,
  WebRequest,
} from "./kind.ts";
export { kindOf } from "./kinds.ts";
export { memoryPair } from "./memory.ts";
export { parseProxy } from "./proxy.ts";
export { endpointReason } from "./reasons.ts";
export { dial } from "./dial.ts";
export { SESSION_SUBPROTOCOL } from "./websocket/subprotocol.ts";
export { CutError } from "./tls/errors.ts";
export type { CertificateReport, TlsReport } from "./tls/inspect.ts";

/** Looks at a server's certificates. Loaded only by who does that. */
export const inspectTls: typeof import("./tls/inspect.ts").inspectTls = async (target, options) =>
  await (await import("./tls/inspect.ts")).inspectTls(target, options);

/** Peers that come as a request to another server. Loaded only by servers that are given one. */
export function fetchPeers(): Promise<typeof import("./fetch.ts")> {
  return import("./fetch.ts");
}
