/**
 * What the other layers use of nats/, and nobody else: not exported by the package.
 *
 * @module
 */

export { Log, type LogEntry, type LogOptions, type LogOwner } from "./log/log.ts";
