/** How a connection lets go of what is beneath it. */

import type { EndInfo, Framing } from "../codec.ts";
import { FrameTimeoutError, ProtocolError } from "../errors.ts";
import type { Transport } from "../transport.ts";
import type { Sender } from "./sender.ts";

/** How long to listen to a peer that was told it did wrong, and how much to, at most. */
const DRAIN_TIMEOUT = 1_000;
const DRAIN_PAUSE = 200;
const MAX_DRAIN_BYTES = 16 * 1024 * 1024;

/** What parting is about. */
export interface Parting {
  readonly transport: Transport;
  readonly sender: Sender;
  readonly framing: Framing;
  /** What the connection ended with, if not in order. */
  readonly error: unknown;
  /** What sends that still wait are told. */
  readonly reason: unknown;
  /** Whether the peer can still be told anything. */
  readonly canTell: boolean;
}

/**
 * Stops sending and closes. A peer that broke the rules is told which, where the framing has words
 * for that. Resolves when the counts are final.
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
  // A write that was under way has either succeeded or not: only then the count is final.
  await sender.settled();
}

/** Reads what is still on its way: closing with unread input would reset, and the words be lost. */
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

/** The next chunk; undefined when none comes in time, the stream has ended or is broken. */
async function readWithin(
  transport: Transport,
  timeout: number,
): Promise<Uint8Array | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), timeout);
  try {
    return await Promise.race([transport.read().catch(() => undefined), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Code and reason as they are shown: this end's own, else the peer's. */
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

/** Calls back when the signal is aborted, now or later; returns what stops that. */
export function onAbort(signal: AbortSignal, abort: (reason: unknown) => void): () => void {
  const listener = () => abort(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  if (signal.aborted) listener();
  return () => signal.removeEventListener("abort", listener);
}
