/** The errors that a page can meet without sessions and requests. */

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
