/** What a connection has done so far, in numbers. */

import type { Transport } from "../transport.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** What a connection has done so far, in numbers. */
export interface ConnectionStats {
  /** Messages that were received. */
  readonly messagesReceived: number;
  /** Messages that were written completely. Those of one block are counted together. */
  readonly messagesSent: number;
  /** Messages that `send()` refused or the slow-consumer policy dropped. */
  readonly messagesDropped: number;
  /** Those of them that `send()` or `offer()` refused. */
  readonly messagesRefused: number;
  /** Messages that arrived and were dropped because too many waited. Only datagrams are. */
  readonly messagesMissed: number;
  /** Bytes that were received, with headers. */
  readonly bytesReceived: number;
  /** Bytes that were written, with headers. */
  readonly bytesSent: number;
  /** Bytes that were sent and wait to be written. */
  readonly bufferedBytes: number;
  /** Bytes of messages that were received and wait to be read. */
  readonly unreadBytes: number;
  /** Messages that were received and wait to be read. */
  readonly unreadMessages: number;
  /** When the connection was made, in milliseconds since 1970. */
  readonly openedAt: number;
  /** When bytes last arrived, in milliseconds since 1970. */
  readonly lastSeenAt: number;
}

/** The numbers of a connection that was made at `openedAt`. */
export function statsOf(
  { receiver, sender, refusals }: Lifecycle,
  transport: Transport,
  openedAt: number,
): ConnectionStats {
  return {
    messagesReceived: receiver.messages,
    messagesSent: sender.messages,
    messagesDropped: sender.dropped + refusals,
    messagesRefused: refusals,
    messagesMissed: transport.abilities.dropped ?? 0,
    bytesReceived: receiver.bytes,
    bytesSent: sender.bytes,
    bufferedBytes: sender.pendingBytes,
    unreadBytes: receiver.inbox.bytes,
    unreadMessages: receiver.inbox.messages,
    openedAt,
    lastSeenAt: receiver.lastSeenAt,
  };
}
