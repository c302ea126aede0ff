/**
 * What the other layers use of connect/, and nobody else: not exported by the package.
 *
 * @module
 */

export { Connector } from "./connector.ts";
export { openAt } from "./open_session.ts";
