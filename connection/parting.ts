/** How a connection closes its transport. */

import type { EndInfo, Framing } from "../codec.ts";
import { FrameTimeoutError, ProtocolError } from "../errors.ts";
import { deadlineOf } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import { turnOver } from "../internal/turn.ts";
import { drain } from "./drain.ts";
import type { Sender } from "./sender.ts";

/** How long the last word to a peer may take, in milliseconds. */
const LAST_WORD_TIMEOUT = 1_000;

/** What {@linkcode part} needs to know. */
export interface Parting {
  readonly transport: Transport;
  readonly sender: Sender;
  readonly framing: Framing;
  /** The error with which the connection ended; undefined if it ended in order. */
  readonly error: unknown;
  /** The error for sends that still wait. */
  readonly reason: unknown;
  /** Whether the peer can still be told something. */
  readonly canTell: boolean;
}

/**
 * Stops sending and closes the transport. If the peer broke a rule and the framing can say so, the peer
 * gets what waits to be written, and is told which rule. Resolves when the counts are final.
 */
export async function part(parting: Parting): Promise<void> {
  const { transport, sender, framing, error, reason, canTell } = parting;
  const words = canTell && error instanceof ProtocolError
    ? framing.encodeEnd?.({ error })
    : undefined;
  const isTold = words !== undefined && await isTaken(sender, words);
  sender.stop(reason);
  if (isTold && !(error instanceof FrameTimeoutError)) await drain(transport);
  transport.close(error);
  // The counts are final only when a write that was under way has succeeded or failed.
  await sender.settled();
  await turnOver();
}

/** Writes what waits and a last word. Resolves after at most a second, to whether all was taken. */
async function isTaken(sender: Sender, words: Uint8Array): Promise<boolean> {
  sender.pushEnd(words);
  const late = Promise.withResolvers<void>();
  const deadline = deadlineOf(LAST_WORD_TIMEOUT, late.resolve);
  await Promise.race([sender.flushed(), late.promise]);
  deadline.clear();
  return sender.isQuiet;
}

/** Code and reason for `closed`: this end's if they were given, otherwise the peer's. */
export function endInfo(
  own: EndInfo | undefined,
  peer: EndInfo | undefined,
): { code?: number; reason?: string } {
  const { code = peer?.code, reason = peer?.reason } = own ?? {};
  return {
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * Calls back when the signal is aborted, or at once if it is already. Returns a function to stop
 * it.
 */
export function onAbort(signal: AbortSignal, abort: (reason: unknown) => void): () => void {
  const listener = () => abort(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  if (signal.aborted) listener();
  return () => signal.removeEventListener("abort", listener);
}
