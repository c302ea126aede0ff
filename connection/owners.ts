/** What the two halves of a connection tell their owner, and each other. */

import type { EndInfo } from "../codec.ts";
import type { LengthwiseError } from "../errors.ts";

/** The owner of a receiver. It is told how receiving ends. */
export interface ReceiverOwner {
  /** The peer has ended in order, at a message boundary. `info` is what it said about its end. */
  inputEnded(info: EndInfo | undefined): void;
  /** The framing has something to answer. */
  inputReplied(reply: Uint8Array): unknown;
  /** The stream broke, or the peer broke the rules. The messages before that are in the inbox. */
  inputFailed(error: LengthwiseError): void;
}

/** The sending half, which decides when queued messages are written. */
export interface Outlet {
  /** A chunk was decoded, which completed so many messages. The next one will be read now. */
  chunkTaken(messages: number): void;
  /** All messages were read, and a reader waits for the next one. */
  readerWaits(): void;
}

/** The owner of a sender. It is told if sending fails. */
export interface SenderOwner {
  /** The stream broke, or the peer reads too slowly. */
  outputFailed(error: LengthwiseError): void;
}
