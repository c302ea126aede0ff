/**
 * As `./page`, without sessions and requests, and less than half as large: what a server hands out as
 * `/lengthwise-plain.js`, as a module with types.
 *
 * @module
 */

export {
  backoff,
  connect,
  type ConnectOptions,
  reconnect,
  type ReconnectOptions,
  type RetryPolicy,
} from "../connect/connect.ts";
export type { CloseInfo, Connection } from "../connection.ts";
export { bytes, type Format, json, type StandardSchema, text } from "../format.ts";
export {
  ConnectError,
  ConnectionClosedError,
  ConnectionLostError,
  InvalidMessageError,
  LengthwiseError,
  MessageTooLargeError,
  ProtocolError,
  SlowConsumerError,
} from "../errors.ts";
