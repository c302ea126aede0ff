/** Reading on where nobody wants to know any more. */

import { deadlineOf } from "../internal/time.ts";
import type { Transport } from "../transport.ts";

/** How long, and how many bytes, to read at most after the peer was told its mistake. */
const DRAIN_TIMEOUT = 1_000;
const DRAIN_PAUSE = 200;
const MAX_DRAIN_BYTES = 16 * 1024 * 1024;

/** Reads what the peer still sends. With unread input, closing resets, and the last word is lost. */
export async function drain(transport: Transport): Promise<void> {
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
