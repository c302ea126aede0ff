/**
 * What the other layers use of connection/, and nobody else: not exported by the package.
 *
 * @module
 */

export { Audience } from "./audience.ts";
export { flushSoon } from "./flush.ts";
export { shareIds } from "./ids.ts";
export { ConnectionSettings, resolveSettings } from "./settings.ts";
export type { ClosedListener } from "./owners.ts";
