/** What a connection tells its owner, and what its two halves tell theirs and each other. */

import type { EndInfo } from "../codec.ts";
import type { LengthwiseError } from "../errors.ts";
import type { CloseInfo } from "./types.ts";

/** The owner of a receiver. It is told how receiving ends. */
export interface ReceiverOwner {
  /** The peer has ended in order, at a message boundary. `info` is what it said about its end. */
  inputEnded(info: EndInfo | undefined): void;
  /** The framing has something to answer. A promise that it gives resolves when more can be answered. */
  inputReplied(reply: Uint8Array): Promise<void> | undefined;
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
  /** Whether both ends may send. */
  readonly isOpen: boolean;
  /** The stream broke, or the peer reads too slowly. */
  outputFailed(error: LengthwiseError): void;
}

/**
 * Is told when a connection has closed. One listener may serve any number of connections, so that it
 * costs less than a reaction to the promise `closed` of each of them.
 */
export interface ClosedListener {
  /** Called when `closed` resolves, before whoever awaits it goes on. Must not throw. */
  connectionClosed(connection: object, info: CloseInfo): void;
}
