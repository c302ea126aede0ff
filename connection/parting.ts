/** How a connection closes its transport. */

import type { EndInfo, Framing } from "../codec.ts";
import { FrameTimeoutError, ProtocolError } from "../errors.ts";
import { deadlineOf } from "../internal/time.ts";
import type { Transport } from "../transport.ts";
import type { Sender } from "./sender.ts";

/** How long, and how many bytes, to read at most after the peer was told its mistake. */
const DRAIN_TIMEOUT = 1_000;
const DRAIN_PAUSE = 200;
const MAX_DRAIN_BYTES = 16 * 1024 * 1024;

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
 * is told which rule. Resolves when the counts are final.
 */
export async function part(parting: Parting): Promise<void> {
  const { transport, sender, framing, error, reason, canTell } = parting;
  const words = canTell && error instanceof ProtocolError
    ? framing.encodeEnd?.({ error })
    : undefined;
  if (words === undefined) sender.stop(reason);
  else if (await sender.stopWith(reason, words) && !(error instanceof FrameTimeoutError)) {
    await drain(transport);
  }
  transport.close(error);
  // The counts are final only when a write that was under way has succeeded or failed.
  await sender.settled();
}

/** Reads what the peer still sends. With unread input, closing resets, and the last word is lost. */
async function drain(transport: Transport): Promise<void> {
  const endsAt = performance.now() + DRAIN_TIMEOUT;
  let left = MAX_DRAIN_BYTES;
  while (left > 0 && performance.now() < endsAt) {
    const chunk = await readWithin(transport, DRAIN_PAUSE);
    if (chunk === undefined) return;
    left -= chunk.length;
    transport.abilities.chunks?.recycle(chunk);
  }
}

/** The next chunk; undefined if none comes in time, or the stream has ended or is broken. */
async function readWithin(
  transport: Transport,
  timeout: number,
): Promise<Uint8Array | undefined> {
  const late = Promise.withResolvers<undefined>();
  const deadline = deadlineOf(timeout, () => late.resolve(undefined));
  try {
    return await Promise.race([transport.read().catch(() => undefined), late.promise]);
  } finally {
    deadline.clear();
  }
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
